import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../../../src/config/load.ts';
import type { Plan } from '../../../src/config/plan.ts';
import { OperationalError } from '../../../src/core/errors.ts';
import type { Match } from '../../../src/core/failure.ts';
import { MANUAL_JAIL } from '../../../src/core/ledger/policy.ts';
import { type Fail2banImport, importFail2ban } from '../../../src/import/fail2ban/directory.ts';
import { writeFilter, writeJails } from '../../../src/import/fail2ban/toml.ts';
import { asFilter } from '../../../src/import/python-regex/examine.ts';
import { createMatcher } from '../../../src/match/matcher.ts';
import { recordOf } from '../../match/records.ts';

const EXAMPLE = fileURLToPath(new URL('../example', import.meta.url));
const GOLDEN = fileURLToPath(new URL('../golden', import.meta.url));

test('the example becomes jails and filters, and every difference has its line', () => {
  const imported = importFail2ban(EXAMPLE, { all: true });
  assertGolden('jails.toml', writeJails(imported.jails, imported.defaults));
  for (const filter of imported.filters) assertGolden(`${filter.name}.toml`, writeFilter(filter));
  assertGolden('remarks.txt', showRemarks(imported));
  assert.deepEqual(imported.tally, { filters: 2, refused: [], replaced: [], jails: 5, off: 0 });
});

test('what is written is a configuration that loads', (t) => {
  const { filters, jails, defaults } = importFail2ban(EXAMPLE, { all: true });
  const directory = makeDirectory(t);
  mkdirSync(join(directory, 'filters'));
  for (const filter of filters) {
    writeFileSync(join(directory, 'filters', `${filter.name}.toml`), writeFilter(filter));
  }
  const configPath = join(directory, 'bailiff.toml');
  writeFileSync(configPath, writeJails(jails, defaults));
  const options = { configPath, filterDirectories: [{ path: join(directory, 'filters'), strict: false }] };
  const { plan, problems, warnings } = loadConfig({ ...options, uid: 0, env: {} });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    plan?.filters.map(({ name }) => name),
    ['gate', 'gate-strict', 'shop'],
  );
  assert.deepEqual(carriedOver(plan), ['gate']);
  assert.equal(warnings.filter(({ message }) => message.includes('has no samples')).length, 3);
});

test('jails that are on stay on beside those that come along, which are off', (t) => {
  const from = makeDirectory(t);
  mkdirSync(join(from, 'filter.d'));
  const failregex = '^refused from <HOST>$';
  for (const name of ['postfix', 'dovecot', 'door'])
    writeFileSync(
      join(from, 'filter.d', `${name}.conf`),
      `[Definition]\nfailregex = ${failregex}\n_daemon = ${name}\n`,
    );
  const jails = ['[postfix]\nenabled = true', '[dovecot]\nenabled = false', '[door]\nenabled = true'];
  const common = '[DEFAULT]\nfilter = %(__name__)s\naction = nftables[type=allports]\n';
  writeFileSync(join(from, 'jail.conf'), `${common}${jails.join('\n')}\n`);
  const imported = importFail2ban(from, { all: true });
  const to = makeDirectory(t);
  mkdirSync(join(to, 'filters'));
  for (const filter of imported.filters)
    writeFileSync(join(to, 'filters', `${filter.name}.toml`), writeFilter(filter));
  const configPath = join(to, 'bailiff.toml');
  writeFileSync(configPath, writeJails(imported.jails, imported.defaults));
  const { plan, problems } = loadConfig({ configPath, uid: 0, env: {}, filtersInUseOnly: true });
  assert.deepEqual(problems, []);
  assert.deepEqual(carriedOver(plan), ['door', 'postfix']);
});

test('without being told to take all, what is on is read and nothing else', (t) => {
  const directory = makeDirectory(t);
  cpSync(EXAMPLE, directory, { recursive: true });
  writeFileSync(join(directory, 'filter.d', 'self.conf'), '[Definition]\nfailregex = %(failregex)s\n');
  const imported = importFail2ban(directory);
  assert.deepEqual(
    imported.jails.map(({ name }) => name),
    ['gate'],
  );
  assert.deepEqual(
    imported.filters.map(({ name }) => name),
    ['gate'],
  );
  assert.deepEqual(imported.tally, { filters: 1, refused: [], replaced: [], jails: 1, off: 4 });
  assert.doesNotMatch(showRemarks(imported), /shop|self|visitors/);
});

test('a filter that is too large to be proved is refused by its name, and the next one is read', (t) => {
  const directory = makeDirectory(t);
  mkdirSync(join(directory, 'filter.d'));
  // A look-ahead that is repeated, and an address that may stand in what comes before the message.
  const pot = `^(?:.*?(?!a{30}b)){1,9}<HOST>(?:.*?(?!c{30}d)){1,9}$`;
  const prefix = String.raw`^\s*(?:\S+ )?(?:\S+(?:\[\d+\])?: )?(?:worker(?:\((?:\S*,<ADDR>(?:,\S*)?|[^\)]+)\))?: )?(?:\S+: )?<F-CONTENT>.+</F-CONTENT>$`;
  const mail = String.raw`(?::(?: [^\( ]*|\([^\(]*\))*)? \(auth failed\)[^:]*:(?: user=<[^>]*>,)?(?: method=\S+,)? rip=<ADDR>(?:[^>]*(?:, session=<\S+>)?)\s*$`;
  const filters = {
    pot: `failregex = ${pot}\n ^closed by <HOST>$`,
    mail: `prefregex = ${prefix}\nfailregex = ^Aborted${mail}\n ^Disconnected${mail}`,
    door: 'failregex = ^refused from <HOST>$',
  };
  for (const [name, text] of Object.entries(filters))
    writeFileSync(join(directory, 'filter.d', `${name}.conf`), `[Definition]\n_daemon = ${name}\n${text}\n`);
  const imported = importFail2ban(directory, { all: true });
  const text = showRemarks(imported);
  assert.match(text, /^filter\.d\/pot\.conf:3: refused: filter pot: too large to be proved$/m);
  assert.doesNotMatch(text, /mail\.conf:\d+: refused/);
  assert.deepEqual(
    imported.filters.map(({ name, expressions }) => [name, expressions.converted]),
    [
      ['door', 1],
      ['mail', 2],
      ['pot', 1],
    ],
  );
});

test('what an expression says of its program is found where the program is told apart from the message', (t) => {
  const directory = makeDirectory(t);
  mkdirSync(join(directory, 'filter.d'));
  const expressions = [
    '^.*shop\\[\\d+\\]: refused <HOST>$',
    '^shop\\[\\d+\\]: denied <HOST>$',
    'shop: late <HOST>$',
  ];
  writeFileSync(
    join(directory, 'filter.d', 'web.conf'),
    `[Definition]\nfailregex = ${expressions.join('\n  ')}\n`,
  );
  const [filter] = importFail2ban(directory, { all: true }).filters;
  assert.ok(filter);
  assert.deepEqual(filter.input.identifiers, ['shop']);
  const matcher = createMatcher([asFilter(filter)]);
  for (const message of ['refused 203.0.113.9', 'denied 203.0.113.9', 'late 203.0.113.9']) {
    const found: Match[] = [];
    matcher.match(recordOf({ message, identifier: 'shop', pid: '7' }), found);
    assert.deepEqual(
      found.map(({ address }) => address),
      ['203.0.113.9'],
      message,
    );
  }
});

test('an imported filter may not be shipped: there it is refused for having no samples', (t) => {
  const [filter] = importFail2ban(EXAMPLE).filters;
  assert.ok(filter);
  const directory = makeDirectory(t);
  writeFileSync(join(directory, `${filter.name}.toml`), writeFilter(filter));
  const configPath = join(directory, 'bailiff.toml');
  writeFileSync(configPath, '');
  const filterDirectories = [{ path: directory, strict: true }];
  const { problems } = loadConfig({ configPath, filterDirectories, uid: 0, env: {} });
  assert.match(problems.map(({ message }) => message).join('\n'), /has no samples/);
});

test('a directory without a configuration is no success', (t) => {
  const directory = makeDirectory(t);
  assert.throws(() => importFail2ban(directory), OperationalError);
  assert.throws(() => importFail2ban(join(directory, 'none')), OperationalError);
});

test('a file that cannot be read, or is none of ours, harms itself alone', (t) => {
  const directory = makeDirectory(t);
  cpSync(EXAMPLE, directory, { recursive: true });
  writeFileSync(join(directory, 'filter.d', 'bad.conf'), Buffer.from([0xff, 0xfe, 0x0a]));
  writeFileSync(
    join(directory, 'filter.d', 'loop.conf'),
    '[Definition]\na = <b>\nb = <a>x\nfailregex = <a>\n',
  );
  writeFileSync(join(directory, 'filter.d', 'self.conf'), '[Definition]\nfailregex = %(failregex)s\n');
  writeFileSync(
    join(directory, 'filter.d', 'outside.conf'),
    '[INCLUDES]\nbefore = ../../../../etc/passwd\n/etc/passwd\n[Definition]\nfailregex = ^x <HOST>$\nno option\n',
  );
  const imported = importFail2ban(directory, { all: true });
  const text = showRemarks(imported);
  assert.deepEqual(imported.tally.refused, ['loop', 'self']);
  assert.match(text, /^filter\.d\/bad\.conf:0: refused: .*UTF-8/m);
  assert.match(text, /^filter\.d\/loop\.conf:\d: refused: filter loop: too much is put into this value/m);
  assert.match(text, /^filter\.d\/self\.conf:2: refused: filter self: %\(failregex\)s refers to itself/m);
  assert.match(text, /^filter\.d\/outside\.conf:6: refused: is no option/m);
  assert.ok(imported.filters.some(({ name }) => name === 'outside'));
});

/** The jails in force, without the one for bans by hand, which is always there. */
function carriedOver(plan: Plan | null): string[] {
  const names = plan?.jails.map(({ policy }) => policy.name) ?? [];
  return names.filter((name) => name !== MANUAL_JAIL).sort();
}

function showRemarks({ remarks }: Fail2banImport): string {
  const lines = remarks.map(({ severity, subject, place, message }) => {
    const about = subject === '' ? '' : `${subject}: `;
    return `${place.file}:${place.line}: ${severity}: ${about}${message}\n`;
  });
  return lines.join('');
}

function makeDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-import-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

/** Compares with test/import/golden/NAME, or writes that file when UPDATE_GOLDEN is set. */
function assertGolden(name: string, text: string): void {
  const file = join(GOLDEN, name);
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(GOLDEN, { recursive: true });
    writeFileSync(file, text);
  }
  assert.equal(text, readFileSync(file, 'utf8'), file);
}
