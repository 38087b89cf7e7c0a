import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Match } from '../../src/core/failure.ts';
import type { LogRecord } from '../../src/core/record.ts';
import type { Filter, FilterInput } from '../../src/match/filter.ts';
import { createMatcher } from '../../src/match/matcher.ts';
import { MAX_REFUSALS } from '../../src/match/refusals.ts';
import { journalMatches } from '../../src/match/router.ts';
import { MAX_SESSIONS } from '../../src/match/session.ts';
import { filterOf, recordOf, ruleOf } from './records.ts';

const refused = ruleOf('refused <address>');

function matchesOf(filters: readonly Filter[], ...records: LogRecord[]): Match[] {
  const matcher = createMatcher(filters);
  const found: Match[] = [];
  for (const record of records) matcher.match(record, found);
  return found;
}

/** The results for lines of one session, as `kind rule weight`. */
function story(filter: Filter, lines: readonly string[], pid = '7'): string[] {
  const records = lines.map((message, index) => recordOf({ message, pid, at: index }));
  return matchesOf([filter], ...records).map(({ kind, rule, weight }) => `${kind} ${rule} ${weight}`);
}

describe('routing', () => {
  const message = 'refused 203.0.113.9';

  function readers(filters: readonly Filter[], record: Partial<LogRecord>): string[] {
    return matchesOf(filters, recordOf({ message, ...record })).map((match) => match.filter);
  }

  it('is by identifier: exact, by prefix, or any', () => {
    const filters = [
      filterOf([refused], { identifiers: ['postfix/smtpd'] }, 'exact'),
      filterOf([refused], { identifiers: ['postfix/*'] }, 'prefix'),
      filterOf([refused], { identifiers: ['postfix*', 'sshd'] }, 'shorter'),
      filterOf([refused], { identifiers: [] }, 'any'),
    ];
    assert.deepEqual(readers(filters, { identifier: 'postfix/smtpd' }), [
      'exact',
      'prefix',
      'shorter',
      'any',
    ]);
    assert.deepEqual(readers(filters, { identifier: 'postfix/qmgr' }), ['prefix', 'shorter', 'any']);
    assert.deepEqual(readers(filters, { identifier: 'postfix-script' }), ['shorter', 'any']);
    assert.deepEqual(readers(filters, { identifier: 'sshd' }), ['shorter', 'any']);
    assert.deepEqual(readers(filters, { identifier: 'Postfix' }), ['any']);
    assert.deepEqual(readers(filters, { identifier: '' }), ['any']);
  });

  it('by a prefix leaves alone what names the prefix itself', () => {
    const filters = [
      filterOf([refused], { identifiers: ['app'] }, 'exact'),
      filterOf([refused], { identifiers: ['app*'] }, 'prefix'),
      filterOf([refused], { identifiers: [''] }, 'nameless'),
      filterOf([refused], { identifiers: ['*'] }, 'everything'),
    ];
    assert.deepEqual(readers(filters, { identifier: 'app' }), ['exact', 'prefix', 'everything']);
    assert.deepEqual(readers(filters, { identifier: 'app-2' }), ['prefix', 'everything']);
    assert.deepEqual(readers(filters, { identifier: '' }), ['nameless', 'everything']);
    assert.deepEqual(readers(filters, { identifier: 'other' }), ['everything']);
  });

  it('takes what a library or an instance has put in parentheses for no part of the name, unless a filter does', () => {
    const filters = [
      filterOf([refused], { identifiers: ['su'] }, 'su'),
      filterOf([refused], { identifiers: ['su(pam_unix)'] }, 'pam'),
    ];
    assert.deepEqual(readers(filters, { identifier: 'su(pam_unix)' }), ['pam']);
    assert.deepEqual(readers(filters, { identifier: 'su(other)' }), ['su']);
    for (const identifier of ['(su)', 'su(x)y', 'su(x', 'su(x)(y)', 'a(su)'])
      assert.deepEqual(readers(filters, { identifier }), [], identifier);
  });

  it("with parentheses is the program's own beside that of a filter which reads every name, or a prefix", () => {
    const filters = [
      filterOf([refused], { identifiers: ['su'] }, 'su'),
      filterOf([refused], { identifiers: ['*'] }, 'everything'),
      filterOf([refused], { identifiers: ['su(p*'] }, 'prefix'),
    ];
    assert.deepEqual(readers(filters, { identifier: 'su(pam_unix)' }), ['su', 'everything', 'prefix']);
    assert.deepEqual(readers(filters, { identifier: 'su(other)' }), ['su', 'everything']);
    assert.deepEqual(readers(filters, { identifier: 'other(su)' }), ['everything']);
  });

  it('is by the first word of a syslog message that has a host name and no tag', () => {
    const filters = [filterOf([refused]), filterOf([refused], { identifiers: ['a*'] }, 'prefix')];
    const tagless = { identifier: '', hostname: 'nas', message: `sshd ${message}` };
    const [match] = matchesOf(filters, recordOf(tagless));
    assert.deepEqual(
      [match?.filter, match?.record.identifier, match?.record.message],
      ['test', 'sshd', message],
    );
    for (const other of [
      { hostname: '' },
      { identifier: 'cron' },
      { message: `sshd: ${message}` },
      { message: `by sshd ${message}` },
      { message: `app ${message}` },
      { message: 'sshd' },
      { trusted: { unit: 'ssh.service', executable: '', uid: 0 } },
    ])
      assert.deepEqual(readers(filters, { ...tagless, ...other }), [], JSON.stringify(other));
  });

  it('is so for tools too, which try every filter where that finds nothing', () => {
    const matcher = createMatcher([filterOf([refused])]);
    const found: Match[] = [];
    for (const text of [`sshd ${message}`, message])
      matcher.matchAll(recordOf({ identifier: '', hostname: 'nas', message: text }), found);
    assert.deepEqual(
      found.map(({ record }) => record.identifier),
      ['sshd', ''],
    );
  });

  it('knows from bytes what the first word may be', () => {
    const matcher = createMatcher([filterOf([refused])]);
    const may = (text: string) => matcher.mayMatch('', Buffer.from(text), 0, Buffer.byteLength(text));
    assert.ok(may(`sshd ${message}`));
    for (const text of ['sshd opened', `cron ${message}`, message, 'sshd', ' sshd refused', 'é refused'])
      assert.equal(may(text), false, text);
  });

  it('stays the same after more identifiers than are remembered', () => {
    const matcher = createMatcher([filterOf([refused], { identifiers: ['sshd', 'app-1*'] })]);
    const found: Match[] = [];
    for (let round = 0; round < 2; round++) {
      for (let number = 0; number < 6_000; number++) {
        matcher.match(recordOf({ message, identifier: `app-${number}` }), found);
      }
      matcher.match(recordOf({ message }), found);
    }
    const expected = Array.from({ length: 6_000 }, (_, number) => `app-${number}`).filter((name) =>
      name.startsWith('app-1'),
    );
    assert.deepEqual(
      found.map(({ record }) => record.identifier),
      [...expected, 'sshd', ...expected, 'sshd'],
    );
  });

  it('lets no filter change what another one finds', () => {
    const templates = [
      'refused <address>',
      'refused <any>',
      '<any> <address>',
      '[not ]refused <address>',
      '<any>',
    ];
    const rules = fc
      .uniqueArray(fc.nat(templates.length - 1), { minLength: 1 })
      .map((indexes) => indexes.map((index) => ruleOf(templates[index] ?? '', { name: `rule-${index}` })));
    const trusts = fc.constantFrom<readonly number[]>([0], [1], []);
    const inputs = fc.array(fc.tuple(rules, trusts), { maxLength: 5 });
    const lines = fc.constantFrom(
      'refused 203.0.113.9',
      'not refused 203.0.113.9',
      'refused',
      'other 203.0.113.9',
    );
    fc.assert(
      fc.property(inputs, lines, fc.boolean(), (chosen, text, isEntry) => {
        const filters = chosen.map(([own, uids], index) =>
          filterOf(own, { journal: { uids, units: [], executables: [] } }, `filter-${index}`),
        );
        const trusted = isEntry ? { uid: 0, unit: '', executable: '' } : null;
        const record = recordOf({ message: text, trusted });
        assert.deepEqual(
          matchesOf(filters, record),
          filters.flatMap((filter) => matchesOf([filter], record)),
        );
      }),
      { seed: 185, numRuns: 300 },
    );
  });

  it('asks journal entries for a trusted field, and nothing else', () => {
    const journal = { uids: [0], units: ['ssh.service', 'ssh@*.service'], executables: ['/usr/sbin/sshd'] };
    const filters = [filterOf([refused], { journal })];
    const nobody = { uid: 1000, unit: 'session-1.scope', executable: '/usr/bin/logger' };
    assert.deepEqual(readers(filters, { trusted: nobody }), []);
    for (const genuine of [
      { uid: 0 },
      { unit: 'ssh.service' },
      { unit: 'ssh@1-2.service' },
      { executable: '/usr/sbin/sshd', uid: 33 },
    ]) {
      assert.deepEqual(readers(filters, { trusted: { ...nobody, ...genuine } }), ['test']);
    }
    for (const almost of [{ unit: 'ssh@.servic' }, { unit: 'xssh@1.service' }, { unit: 'ssh.service.d' }]) {
      assert.deepEqual(readers(filters, { trusted: { ...nobody, ...almost } }), []);
    }
    assert.deepEqual(readers(filters, { trusted: null }), ['test']);
  });

  it('believes an executable of users that run services only, since whoever logs in can run every program', () => {
    const journal = { uids: [], units: [], executables: ['/usr/bin/logger'] };
    const filters = [filterOf([refused], { journal })];
    const readersOf = (uid: number) =>
      readers(filters, { trusted: { uid, unit: '', executable: '/usr/bin/logger' } }).length;
    for (const uid of [0, 33, 999, 61_184, 65_519]) assert.equal(readersOf(uid), 1, `uid ${uid}`);
    for (const uid of [-1, 1_000, 61_183, 65_520, 65_534, 100_033]) {
      assert.equal(readersOf(uid), 0, `uid ${uid}`);
    }
  });

  it('believes no journal entry for a filter that names no trusted field', () => {
    const trusted = { uid: 0, unit: '', executable: '' };
    assert.deepEqual(readers([filterOf([refused])], { trusted }), []);
    assert.deepEqual(readers([filterOf([refused], { identifiers: [] })], { trusted }), ['test']);
  });

  it('counts a journal entry that is not believed once', () => {
    const matcher = createMatcher([filterOf([refused], {}, 'a'), filterOf([refused], {}, 'b')]);
    const trusted = { uid: 1000, unit: '', executable: '' };
    matcher.match(recordOf({ message, trusted }), []);
    matcher.match(recordOf({ message, trusted, identifier: 'cron' }), []);
    assert.equal(matcher.takeCounters().untrusted, 1);
    assert.equal(matcher.takeCounters().untrusted, 0);
  });

  it('says of what no filter reads how much it was, what it was called and where it came from', () => {
    const named = (units: readonly string[], name: string) =>
      filterOf([refused], { journal: { uids: [], units, executables: [] } }, name);
    const matcher = createMatcher([named(['a.service'], 'a'), named(['b.service'], 'b')]);
    const from = (unit: string) => recordOf({ message, trusted: { uid: 1_000, unit, executable: '' } });
    for (const unit of ['x.service', 'x.service', 'b.service', '']) matcher.match(from(unit), []);
    const kind = { reason: 'untrusted', filter: 'a', identifier: 'sshd', container: '' };
    assert.deepEqual(matcher.takeCounters().refusals, [
      { ...kind, from: 'x.service', count: 2 },
      { ...kind, from: 'uid 1000', count: 1 },
    ]);
    assert.deepEqual(matcher.takeCounters().refusals, []);
  });

  it('tells a bounded number of kinds of them apart', () => {
    const matcher = createMatcher([filterOf([refused], { identifiers: ['door*'] })]);
    const trusted = { uid: 1_000, unit: 'session-1.scope', executable: '' };
    for (let number = 0; number < MAX_REFUSALS + 5; number++) {
      matcher.match(recordOf({ message, identifier: `door-${number}`, trusted }), []);
    }
    const { refusals, refusalsDropped } = matcher.takeCounters();
    assert.deepEqual([refusals.length, refusalsDropped], [MAX_REFUSALS, 5]);
  });

  it('can be left out', () => {
    const found: Match[] = [];
    createMatcher([filterOf([refused])]).matchAll(recordOf({ message, identifier: 'other' }), found);
    assert.equal(found.length, 1);
  });

  it('tells the journal which identifiers to look for, when that can be listed', () => {
    const journal = { uids: [0], units: [], executables: [], containers: [] };
    const sshd = filterOf([refused], { identifiers: ['sshd', 'sshd-session'], journal });
    const device = filterOf([refused], { identifiers: ['%ASA-*', ''] });
    assert.deepEqual(journalMatches([sshd, sshd, device]), [
      'SYSLOG_IDENTIFIER=sshd',
      'SYSLOG_IDENTIFIER=sshd-session',
    ]);
    assert.equal(journalMatches([sshd, filterOf([refused], { identifiers: ['postfix/*'], journal })]), null);
    assert.equal(journalMatches([sshd, filterOf([refused], { identifiers: [] })]), null);
    assert.deepEqual(journalMatches([]), []);
  });

  it('tells the journal of the engines, where a filter reads lines of containers', () => {
    const journal = { uids: [], units: [], executables: [], containers: ['*door*'] };
    const matches = journalMatches([filterOf([refused], { identifiers: ['door'], journal })]) ?? [];
    for (const wanted of ['SYSLOG_IDENTIFIER=door', '_EXE=/usr/bin/conmon', '_SYSTEMD_UNIT=docker.service']) {
      assert.ok(matches.includes(wanted), wanted);
    }
  });
});

describe('a line of a container', () => {
  const refused = ruleOf('refused <address>');
  const message = 'refused 203.0.113.9';
  const host = { uids: [0], units: ['ssh.service', 'docker.service'], executables: [] };
  const dockerd = { unit: 'docker.service', executable: '/usr/bin/dockerd', uid: 0 };
  const conmon = { unit: 'door.service', executable: '/usr/bin/conmon', uid: 0 };
  const stack = { id: '4a9e337af3d3', name: 'stack-door-1', image: 'example/door:1.2' };
  const application = (parts: Partial<FilterInput['journal']> = {}, identifiers = ['door']) =>
    filterOf([refused], {
      identifiers,
      journal: { uids: [], units: ['door.service'], executables: [], ...parts },
    });

  it('is read by the filters of applications, called by its tag or its name', () => {
    for (const trusted of [dockerd, conmon]) {
      const byTag = recordOf({ message, identifier: 'door', trusted });
      assert.equal(matchesOf([application()], byTag).length, 1);
      const byName = recordOf({
        message,
        identifier: '4a9e337af3d3',
        trusted,
        container: { ...stack, name: 'door' },
      });
      assert.equal(matchesOf([application()], byName).length, 1);
    }
  });

  it('is found by what a filter says of names and images', () => {
    const record = recordOf({ message, identifier: '4a9e337af3d3', trusted: dockerd, container: stack });
    assert.equal(matchesOf([application()], record).length, 0);
    for (const pattern of ['*door*', 'example/door:*', 'stack-door-1', '4a9e*']) {
      const found = matchesOf([application({ containers: [pattern] })], record);
      assert.equal(found.length, 1, pattern);
    }
  });

  it('is never believed of the services of the host, whatever it is called and whoever runs the engine', () => {
    const sshd = filterOf([refused], { identifiers: ['sshd'], journal: { ...host, containers: [] } });
    for (const trusted of [dockerd, conmon, { ...conmon, unit: 'ssh.service' }]) {
      const record = recordOf({
        message,
        identifier: 'sshd',
        trusted,
        container: { ...stack, name: 'sshd', image: 'sshd' },
      });
      assert.equal(matchesOf([sshd], record).length, 0);
    }
    const inside = { unit: `docker-${'a'.repeat(64)}.scope`, executable: '/usr/sbin/sshd', uid: 0 };
    assert.equal(matchesOf([sshd], recordOf({ message, trusted: inside })).length, 0);
  });

  it('is not believed of an engine that a user runs, but by a filter that names him', () => {
    const trusted = { unit: 'user@1000.service', executable: '/usr/bin/conmon', uid: 1_000 };
    const record = recordOf({ message, identifier: 'door', trusted, container: stack });
    assert.equal(matchesOf([application()], record).length, 0);
    assert.equal(matchesOf([application({ uids: [1_000] })], record).length, 1);
  });

  it('is not read by a filter that reads every name, or such as have none', () => {
    const record = recordOf({ message, identifier: '4a9e337af3d3', trusted: dockerd, container: stack });
    for (const identifiers of [
      ['drupal', '*'],
      ['door', ''],
    ]) {
      assert.equal(matchesOf([application({}, identifiers)], record).length, 0);
    }
  });

  it('that no filter means is told of when it looks like a failure', () => {
    const matcher = createMatcher([application()]);
    const record = recordOf({ message, identifier: '4a9e337af3d3', trusted: dockerd, container: stack });
    const found: Match[] = [];
    matcher.match(record, found);
    matcher.match({ ...record, message: 'accepted' }, found);
    assert.deepEqual(found, []);
    assert.deepEqual(matcher.takeCounters().refusals, [
      {
        reason: 'unnamed',
        filter: 'test',
        identifier: '4a9e337af3d3',
        from: 'docker.service',
        container: 'stack-door-1',
        count: 1,
      },
    ]);
  });

  it('has no session: its PID is the engine’s, and the same for all clients', () => {
    const remembered = ruleOf('hello <address>', { kind: 'note', remember: true, name: 'hello' });
    const follows = ruleOf('refused', { after: ['hello'] });
    const journal = { uids: [], units: ['door.service'], executables: [] };
    const filters = [filterOf([remembered, follows], { identifiers: ['door'], journal })];
    const matcher = createMatcher(filters);
    const found: Match[] = [];
    for (const text of ['hello 203.0.113.9', 'refused']) {
      matcher.match(recordOf({ message: text, identifier: 'door', pid: '131', trusted: dockerd }), found);
    }
    assert.deepEqual(
      found.map(({ rule }) => rule),
      ['hello'],
    );
  });
});

describe('the rules of a filter', () => {
  it('give one match, of the first that fits', () => {
    const filter = filterOf([
      ruleOf('no <address>', { name: 'other' }),
      ruleOf('<any>used <address>', { name: 'first' }),
      refused,
    ]);
    assert.deepEqual(story(filter, ['refused 203.0.113.9']), ['failure first 1']);
    assert.deepEqual(story(filter, ['accepted 203.0.113.9']), []);
  });

  it('are tried in the narrowest mode first, so that no jail loses a match to a rule that it leaves off', () => {
    const filter = filterOf([
      ruleOf('<any> <address>', { name: 'wide', mode: 'aggressive' }),
      ruleOf('ref<any> <address>', { name: 'ignored', mode: 'extra', kind: 'ignore' }),
      ruleOf('refused <address>', { name: 'narrow' }),
    ]);
    assert.deepEqual(story(filter, ['refused 203.0.113.9']), ['failure narrow 1']);
    assert.deepEqual(story(filter, ['refunded 203.0.113.9']), ['ignore ignored 1']);
    assert.deepEqual(story(filter, ['rejected 203.0.113.9']), ['failure wide 1']);
  });

  it('go on after an address that is none', () => {
    const filter = filterOf([
      ruleOf('refused <address>[ <any>]', { name: 'address' }),
      ruleOf('refused <any> for <address>', { name: 'behind' }),
    ]);
    const [match] = matchesOf([filter], recordOf({ message: 'refused 300.1.1.1 for 203.0.113.9' }));
    assert.equal(match?.rule, 'behind');
    assert.equal(match?.address, '203.0.113.9');
  });

  it('count a line as often as its field named attempts says', () => {
    const filter = filterOf([ruleOf('refused <address>, <int:attempts> attempts', { weight: 2 })]);
    assert.deepEqual(story(filter, ['refused 203.0.113.9, 20 attempts']), ['failure rule 40']);
    assert.deepEqual(story(filter, ['refused 203.0.113.9, 0 attempts']), ['failure rule 2']);
    assert.deepEqual(story(filter, [`refused 203.0.113.9, ${'9'.repeat(400)} attempts`]), [
      'failure rule 100',
    ]);
  });

  it('count for their weight, and for what a relay says was repeated', () => {
    const filter = filterOf([ruleOf('refused <address>', { weight: 3 })]);
    assert.deepEqual(story(filter, ['refused 203.0.113.9']), ['failure rule 3']);
    assert.deepEqual(story(filter, ['message repeated 5 times: [ refused 203.0.113.9]']), [
      'failure rule 15',
    ]);
    assert.deepEqual(story(filter, ['message repeated 9999 times: [ refused 203.0.113.9]']), [
      'failure rule 100',
    ]);
    assert.deepEqual(story(filter, ['[ID 800047 auth.info] refused 203.0.113.9']), ['failure rule 3']);
    assert.deepEqual(story(filter, ['message repeated 5 times: refused 203.0.113.9']), []);
  });

  it('take messages of any text', () => {
    const filter = filterOf([ruleOf('<user> refused <address>')]);
    for (const user of ['', '\0', '\ud800', '\x1b[2J', 'é', '\n', 'x'.repeat(256)]) {
      const [match] = matchesOf([filter], recordOf({ message: `${user} refused 203.0.113.9` }));
      assert.equal(match?.address, '203.0.113.9');
    }
    assert.deepEqual(matchesOf([filter], recordOf({ message: '' })), []);
  });
});

describe('a session', () => {
  const client = ruleOf('client is <address>[ (<user>)]', { name: 'client', kind: 'note', remember: true });
  const failed = ruleOf('login failed[ for <user>]', { name: 'failed' });

  it('remembers the address for a line that names none', () => {
    const lines = ['client is 203.0.113.9 (joe)', 'login failed'];
    const [, match] = matchesOf(
      [filterOf([client, failed])],
      ...lines.map((message) => recordOf({ message, pid: '7' })),
    );
    assert.equal(match?.address, '203.0.113.9');
    assert.equal(match?.user, 'joe');
  });

  it('is of one sender, one way that it comes, one identifier and one PID', () => {
    const filter = filterOf([client, failed], { identifiers: ['sshd', 'other'] });
    const first = recordOf({ message: 'client is 203.0.113.9', pid: '7', sender: '192.0.2.1' });
    const then = { ...first, message: 'login failed' };
    const changes = [
      { pid: '8' },
      { pid: '' },
      { sender: '192.0.2.2' },
      { identifier: 'other' },
      { source: 'tls' },
      { via: '192.0.2.9' },
    ] as const;
    for (const change of changes) {
      assert.equal(matchesOf([filter], first, { ...then, ...change }).length, 1, JSON.stringify(change));
    }
    assert.equal(matchesOf([filter], first, then).length, 2);
  });

  it('is forgotten after some minutes, since the PID may then be another client’s', () => {
    const filter = filterOf([client, failed]);
    const first = recordOf({ message: 'client is 203.0.113.9', pid: '7' });
    assert.equal(
      matchesOf([filter], first, recordOf({ message: 'login failed', pid: '7', at: 170 })).length,
      2,
    );
    assert.equal(
      matchesOf([filter], first, recordOf({ message: 'login failed', pid: '7', at: 190 })).length,
      1,
    );
  });

  it('begins anew with another address', () => {
    const found = matchesOf(
      [filterOf([client, failed])],
      ...['client is 203.0.113.9 (joe)', 'client is 198.51.100.7', 'login failed'].map((message) =>
        recordOf({ message, pid: '7' }),
      ),
    );
    assert.equal(found.at(-1)?.address, '198.51.100.7');
    assert.equal(found.at(-1)?.user, '');
  });

  it('may be needed for a rule to match at all', () => {
    const closed = ruleOf('closed by <address>', { name: 'closed', after: ['greeting'] });
    const greeting = ruleOf('no greeting', { name: 'greeting', kind: 'note', remember: true });
    const filter = filterOf([greeting, closed, client]);
    assert.deepEqual(story(filter, ['closed by 203.0.113.9']), []);
    assert.deepEqual(story(filter, ['client is 203.0.113.9', 'closed by 203.0.113.9']), ['note client 1']);
    assert.deepEqual(story(filter, ['no greeting', 'closed by 203.0.113.9']), [
      'note greeting 1',
      'failure closed 1',
    ]);
  });

  it('counts an attempt once, however many lines tell of it', () => {
    const filter = filterOf([
      ruleOf('start <address>', { name: 'start', attempt: 'start' }),
      ruleOf('result <address>', { name: 'result', attempt: 'result' }),
      ruleOf('end <address>', { name: 'end', attempt: 'end' }),
      ruleOf('welcome <address>', { name: 'welcome', kind: 'success' }),
    ]);
    const tell = (words: string, pid?: string): string =>
      story(
        filter,
        words.split(' ').map((word) => `${word} 203.0.113.9`),
        pid,
      )
        .map((result) => result.split(' ')[2])
        .join(' ');
    assert.equal(tell('start start result result result end'), '1 0 0 1 1 0');
    assert.equal(tell('result start result end end'), '1 1 0 0 0');
    assert.equal(tell('end end'), '1 0');
    assert.equal(tell('start welcome start result welcome end'), '1 1 1 0 1 1');
    assert.equal(tell('start start result result end', ''), '1 1 1 1 1');
    assert.deepEqual(story(filter, ['start 203.0.113.9', 'result 203.0.113.9']), [
      'failure start 1',
      'note result 0',
    ]);
    assert.deepEqual(
      story(filter, ['start 203.0.113.9', 'message repeated 3 times: [ result 203.0.113.9]']),
      ['failure start 1', 'failure result 2'],
    );
  });

  it('never takes a failure from a jail because a wider mode has counted it', () => {
    const filter = filterOf([
      ruleOf('start <address>', { name: 'start', attempt: 'start', mode: 'extra' }),
      ruleOf('result <address>', { name: 'result', attempt: 'result' }),
      ruleOf('end <address>', { name: 'end', attempt: 'end' }),
    ]);
    assert.deepEqual(story(filter, ['start 203.0.113.9', 'result 203.0.113.9']), [
      'failure start 1',
      'failure result 1',
    ]);
    assert.deepEqual(story(filter, ['start 203.0.113.9', 'end 203.0.113.9']), [
      'failure start 1',
      'failure end 1',
    ]);
  });

  it('takes bounded memory, however many there are', () => {
    const matcher = createMatcher([filterOf([client, failed])]);
    const count = MAX_SESSIONS * 2;
    for (let pid = 0; pid < count; pid++) {
      matcher.match(recordOf({ message: 'client is 203.0.113.9', pid: String(pid) }), []);
    }
    assert.ok(matcher.takeCounters().sessionsDropped >= count - MAX_SESSIONS);
    const found: Match[] = [];
    matcher.match(recordOf({ message: 'login failed', pid: String(count - 1) }), found);
    matcher.match(recordOf({ message: 'login failed', pid: '0' }), found);
    assert.equal(found.length, 1);
  });
});
