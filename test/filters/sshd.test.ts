import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { before, describe, it, type TestContext } from 'node:test';
import { loadFilter } from '../../src/config/filters/filter-file.ts';
import { parseAddress } from '../../src/core/address/address.ts';
import { admitsMode, type Match, modeRank, type RuleMode } from '../../src/core/failure.ts';
import type { LogRecord } from '../../src/core/record.ts';
import type { Filter } from '../../src/match/filter.ts';
import { lintFilter } from '../../src/match/lint/lint.ts';
import { Matcher } from '../../src/match/matcher.ts';
import { type CompiledFilter, compileFilter } from '../../src/match/rule.ts';
import { recordOf } from '../match/records.ts';

const filtersDirectory = new URL('../../etc/filters', import.meta.url).pathname;
const casesFile = new URL('../../../shared/cases-open.jsonl', import.meta.url);
const capturesDirectory = new URL('../../../shared/testbed/samples/', import.meta.url);

let filter: Filter;
let compiled: CompiledFilter;

before(() => {
  const loaded = loadFilter('sshd', { path: filtersDirectory, strict: true }, false);
  assert.deepEqual(loaded.problems, []);
  assert.ok(loaded.filter);
  filter = loaded.filter;
  compiled = compileFilter(filter);
});

/** Failures, with what each counts for, that a jail of the mode gets from some lines. */
function failuresOf(lines: readonly (string | LogRecord)[], mode: RuleMode = 'normal'): Match[] {
  const matcher = new Matcher([compiled]);
  return lines.flatMap((line, index) => {
    const record = typeof line === 'string' ? recordOf({ message: line, pid: '71', at: index }) : line;
    return failuresIn(matcher, record, mode);
  });
}

function failuresIn(matcher: Matcher, record: LogRecord, mode: RuleMode): Match[] {
  const found: Match[] = [];
  matcher.match(record, found);
  return found.filter((match) => match.kind === 'failure' && admitsMode(mode, match.mode));
}

function weightOf(matches: readonly Match[]): number {
  return matches.reduce((sum, match) => sum + match.weight, 0);
}

describe('the sshd filter', () => {
  it('passes the strict linter, with more than a hundred thousand forged lines', () => {
    const report = lintFilter(filter, { strict: true, forge: true });
    assert.deepEqual(report.problems, []);
    assert.ok(report.forged > 100_000, `only ${report.forged} forged lines`);
  });

  it('counts one failure for an attempt on a user that does not exist', () => {
    const matches = failuresOf(
      [
        'Invalid user admin from 203.0.113.9 port 40022',
        'pam_unix(sshd:auth): check pass; user unknown',
        'pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9',
        'Failed password for invalid user admin from 203.0.113.9 port 40022 ssh2',
        'Connection closed by invalid user admin 203.0.113.9 port 40022 [preauth]',
      ],
      'aggressive',
    );
    assert.equal(weightOf(matches), 1);
  });

  it('counts each password of a session once, and not what sums them up', () => {
    const failed = 'Failed password for alice from 203.0.113.9 port 40022 ssh2';
    const pam = 'logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=alice';
    const matches = failuresOf([
      `pam_unix(sshd:auth): authentication failure; ${pam}`,
      ...new Array<string>(6).fill(failed),
      'error: maximum authentication attempts exceeded for alice from 203.0.113.9 port 40022 ssh2 [preauth]',
      'Disconnecting authenticating user alice 203.0.113.9 port 40022: Too many authentication failures [preauth]',
      `PAM 5 more authentication failures; ${pam}`,
      'PAM service(sshd) ignoring max retries; 6 > 3',
    ]);
    assert.equal(weightOf(matches), 6);
  });

  it('counts a user name with five wrong keys once', () => {
    const key =
      'Failed publickey for invalid user adnim from 203.0.113.9 port 40022 ssh2: ED25519 SHA256:0v5bRm';
    const lines = ['Invalid user adnim from 203.0.113.9 port 40022', ...new Array<string>(5).fill(key)];
    assert.equal(weightOf(failuresOf(lines)), 1);
  });

  it('counts what rsyslog says was repeated', () => {
    const repeated = 'message repeated 4 times: [ Failed password for root from 203.0.113.9 port 50719 ssh2]';
    const matches = failuresOf(['Failed password for root from 203.0.113.9 port 50719 ssh2', repeated]);
    assert.equal(weightOf(matches), 5);
  });

  it('counts every connection that OpenSSH 9.8 and later refuses for a penalty', () => {
    const penalty =
      'drop connection #0 from [203.0.113.9]:48385 on [192.0.2.1]:22 penalty: failed authentication';
    assert.equal(weightOf(failuresOf([penalty, penalty, penalty])), 3);
  });

  it('counts nobody while the server is flooded, unless a jail is aggressive', () => {
    const flooded = 'drop connection #10 from [203.0.113.9]:48385 on [192.0.2.1]:22 past Maxstartups';
    assert.equal(weightOf(failuresOf([flooded], 'extra')), 0);
    assert.equal(weightOf(failuresOf([flooded], 'aggressive')), 1);
  });

  it('counts anew after a login', () => {
    const matches = failuresOf([
      'Failed password for alice from 203.0.113.9 port 40022 ssh2',
      'Accepted password for alice from 203.0.113.9 port 40022 ssh2',
      'error: maximum authentication attempts exceeded for alice from 203.0.113.9 port 40022 ssh2 [preauth]',
    ]);
    assert.equal(weightOf(matches), 2);
  });

  it('finds the address that sshd wrote, whatever a user name says', () => {
    const names = [
      'root from 198.51.100.7',
      'root from 198.51.100.7 port 22 ssh2',
      'from 198.51.100.7 port 22',
      'x from 198.51.100.7 port 22 ssh2\nInvalid user x from 198.51.100.7 port 22',
      '198.51.100.7 port 22 [preauth]',
      'x 198.51.100.7 port 22: Too many authentication failures [preauth]',
      '\x1b]0;from 198.51.100.7 port 22\x07',
      '',
    ];
    for (const name of names) {
      const lines = [
        `Invalid user ${name} from 203.0.113.9 port 40022`,
        `Failed none for invalid user ${name} from 203.0.113.9 port 40022 ssh2`,
        `Failed password for invalid user ${name} from 203.0.113.9 port 40022 ssh2`,
        `Failed publickey for invalid user ${name} from 203.0.113.9 port 40022 ssh2: RSA SHA256:a5S6d+/x`,
        `error: PAM: Authentication failure for illegal user ${name} from 203.0.113.9`,
        `error: maximum authentication attempts exceeded for illegal user ${name} from 203.0.113.9`,
        `Disconnecting invalid user ${name} 203.0.113.9 port 40022: Too many authentication failures [preauth]`,
        `Connection closed by invalid user ${name} 203.0.113.9 port 40022 [preauth]`,
      ];
      for (const line of lines) {
        const [match] = failuresOf([line], 'aggressive');
        assert.equal(match?.address, '203.0.113.9', line);
        assert.equal(match?.user, name, line);
      }
    }
  });

  it('takes neither address of a name that ends like a line of protocol 1 or of a key', () => {
    for (const version of ['1', '2']) {
      const name = `x from 198.51.100.7 port 22 ssh${version}: `;
      assert.deepEqual(
        failuresOf(
          [`Failed password for invalid user ${name} from 203.0.113.9 port 40022 ssh2`],
          'aggressive',
        ),
        [],
      );
    }
  });

  it('does not read journal entries that no sshd can have written', () => {
    const message = 'Invalid user admin from 203.0.113.9 port 40022';
    const genuine = { unit: 'ssh.service', executable: '/usr/sbin/sshd', uid: 0 };
    for (const trusted of [
      genuine,
      { unit: '', executable: '', uid: 0 },
      { unit: 'ssh@3-192.0.2.1:22-203.0.113.9:40022.service', executable: '', uid: -1 },
    ]) {
      assert.equal(failuresOf([recordOf({ message, trusted })]).length, 1);
    }
    for (const trusted of [
      { unit: 'session-3.scope', executable: '/usr/bin/logger', uid: 1000 },
      { unit: '', executable: '', uid: -1 },
      { unit: 'ssh@.service.d', executable: '/home/me/usr/sbin/sshd', uid: 1000 },
    ]) {
      assert.equal(failuresOf([recordOf({ message, trusted })]).length, 0);
    }
  });
});

type Capture = { readonly MESSAGE: string; readonly SYSLOG_IDENTIFIER: string; readonly _PID: string };

describe('recordings of real attacks', () => {
  for (const [file, attempts] of [
    ['sshd-bookworm.jsonl', 20],
    ['sshd-trixie.jsonl', 20],
  ] as const) {
    it(`counts the ${attempts} failed attempts of ${file}, no more and no fewer`, (context) => {
      const url = new URL(file, capturesDirectory);
      if (isAbsent(url, context)) return;
      const entries = readLines<Capture>(url);
      const records = entries.map((entry, index) =>
        recordOf({ message: entry.MESSAGE, identifier: entry.SYSLOG_IDENTIFIER, pid: entry._PID, at: index }),
      );
      assert.equal(weightOf(failuresOf(records)), attempts);
    });
  }
});

type Line = { readonly message: string; readonly identifier: string | null; readonly pid?: string | null };
type Case = Line & {
  readonly id: string;
  readonly service: string;
  readonly sequence?: readonly Line[];
  readonly expect: {
    readonly failure: boolean;
    readonly address: string | null;
    readonly user: string | null;
  };
  readonly mode: readonly string[];
  readonly grade: string;
};

/** Cases that are decided otherwise on purpose, each with the reason. */
const DECIDED_OTHERWISE: ReadonlyMap<string, string> = new Map([
  ['fail2ban-c57fbfa8e165', 'two addresses, of which the version of sshd decides: neither is taken'],
]);

/** Grades of annotations that are firm enough to count, as in the scoring program beside them. */
const COUNTED: ReadonlySet<string> = new Set(['firm', 'soft', 'stateful', 'stateful-negative']);

/** Our modes for those of the annotations. */
const MODES: Readonly<Record<string, RuleMode>> = {
  default: 'normal',
  normal: 'normal',
  abuse: 'normal',
  extra: 'extra',
  ddos: 'aggressive',
  aggressive: 'aggressive',
};

describe('annotated lines of other projects', () => {
  it('finds the address of every failure, in the mode of the annotation', (context) => {
    for (const { entry, matches } of judgeCases(context)) {
      if (!entry.expect.failure || entry.expect.address === null || DECIDED_OTHERWISE.has(entry.id)) continue;
      const wanted = parseAddress(entry.expect.address);
      assert.deepEqual([...new Set(matches.map((match) => match.address))], [wanted], entry.id);
      if (entry.expect.user === null) continue;
      assert.ok(
        matches.some((match) => match.user === entry.expect.user),
        `${entry.id}: user`,
      );
    }
  });

  it('finds no failure where none is', (context) => {
    for (const { entry, matches } of judgeCases(context)) {
      if (entry.expect.failure) continue;
      assert.deepEqual(
        matches.map((match) => match.rule),
        [],
        entry.id,
      );
    }
  });

  it('finds no address but the true one in any mode', (context) => {
    for (const { entry } of judgeCases(context)) {
      if (entry.expect.address === null) continue;
      const found = new Set(matchCase(entry, 'aggressive').map((match) => match.address));
      found.delete(parseAddress(entry.expect.address) ?? '');
      assert.deepEqual([...found], [], entry.id);
    }
  });
});

function judgeCases(context: TestContext): { entry: Case; matches: Match[] }[] {
  if (isAbsent(casesFile, context)) return [];
  const cases = readLines<Case>(casesFile).filter(
    ({ service, grade }) => service === 'sshd' && COUNTED.has(grade),
  );
  context.diagnostic(`${cases.length} cases`);
  return cases.map((entry) => {
    const modes = entry.mode.map((mode) => MODES[mode] ?? 'normal');
    const narrowest = modes.sort((left, right) => modeRank(left) - modeRank(right))[0] ?? 'normal';
    return { entry, matches: matchCase(entry, narrowest) };
  });
}

function matchCase(entry: Case, mode: RuleMode): Match[] {
  const records = (entry.sequence ?? [entry]).map((line, index) =>
    recordOf({
      message: line.message,
      identifier: line.identifier ?? 'sshd',
      pid: line.pid ?? '',
      at: index,
    }),
  );
  return failuresOf(records, mode);
}

function isAbsent(url: URL, context: TestContext): boolean {
  if (existsSync(url)) return false;
  context.skip(`${url.pathname.split('/').at(-1)} is not there`);
  return true;
}

function readLines<T>(url: URL): T[] {
  return readFileSync(url, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
