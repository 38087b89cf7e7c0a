import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Explanation } from '../../../../src/cli/filter-tools/explain-line.ts';
import { makeDirectory } from '../../../http/running-server.ts';
import { assertGolden, type Outcome, run } from '../../fake-terminal.ts';

const DOOR = fileURLToPath(new URL('../../filters/door.toml', import.meta.url));
const MAIN = fileURLToPath(new URL('../../../../src/main.ts', import.meta.url));

/** A configuration whose own filter is the door; `settings` are of its jail. */
function writeConfig(t: TestContext, settings = '', top = ''): string {
  const directory = makeDirectory(t);
  const configPath = join(directory, 'bailiff.toml');
  mkdirSync(join(directory, 'filters'));
  copyFileSync(DOOR, join(directory, 'filters', 'door.toml'));
  writeFileSync(configPath, `${top}\n[jail.door]\nenabled = true\nfilters = ["door"]\n${settings}\n`);
  return configPath;
}

function explain(configPath: string, ...words: string[]): Promise<Outcome> {
  return run(['explain', '--config', configPath, '--filter', DOOR, ...words]);
}

const HEAD = 'Nov 20 10:00:00 web door[1]: ';

for (const [name, line] of [
  ['hit', `${HEAD}refused root from 203.0.113.9`],
  ['miss', `${HEAD}refused root form 203.0.113.9`],
  ['unread', 'Nov 20 10:00:00 web cron[1]: refused root from 203.0.113.9'],
  ['bare', 'asked by nobody'],
  ['session', `${HEAD}left without a word`],
] as const) {
  test(`the path of a line: ${name}`, async (t) => {
    const { status, out, error } = await explain(writeConfig(t), line);
    assert.deepEqual([status, error], [name === 'hit' ? 0 : 1, '']);
    assertGolden(`explain-${name}`, out);
  });
}

test('a program that its line names without a colon is known, as the daemon knows it', async (t) => {
  const line = '<13>Nov 20 10:00:00 web door refused root from 203.0.113.9';
  const { status, out } = await explain(writeConfig(t), line);
  assert.equal(status, 0);
  assert.match(out, /identifier +door\n/);
  assert.match(out, /203\.0\.113\.9/);
});

test('--all shows every rule', async (t) => {
  const { out } = await explain(writeConfig(t), '--all', `${HEAD}passed by nobody`);
  for (const rule of ['refused', 'opened', 'asked', 'left', 'passed']) {
    assert.match(out, new RegExp(`^ {2}${rule} `, 'm'));
  }
});

test('--json has the same for programs', async (t) => {
  const { out } = await explain(writeConfig(t), '--json', `${HEAD}refused root form 203.0.113.9`);
  const { record, filters, matches, isTriedByAll } = JSON.parse(out) as Explanation;
  assert.deepEqual([record.identifier, record.pid, isTriedByAll, matches], ['door', '1', false, []]);
  assert.deepEqual([filters[0]?.filter, filters[0]?.route], ['door', 'read']);
  assert.deepEqual(filters[0]?.rules[0]?.outcome, {
    kind: 'differs',
    field: '',
    text: 'refused root form 203.0.113.9',
    offset: 14,
  });
});

test('of a ban that bailiff itself has logged, a jail counts what another host sends only', async (t) => {
  const configPath = join(makeDirectory(t), 'bailiff.toml');
  writeFileSync(configPath, '[jail.recidive]\nenabled = true\n');
  const line = 'banned 203.0.113.9 in sshd for 10m (offence)';
  const source = ['--as', 'message', '--identifier', 'bailiff', '--filter', 'recidive'];
  const { out } = await run(['explain', line, ...source, '--config', configPath]);
  assert.match(
    out.replaceAll(/\s+/g, ' '),
    /counts 1 of .*where it comes from another host: what the daemon here logs itself it does not read/s,
  );
});

test('a jail says why it does not count a match', async (t) => {
  const line = `${HEAD}refused root from 203.0.113.9`;
  const expectations: ReadonlyArray<readonly [string, string, string, RegExp]> = [
    ['', '', line, /jail door counts 1 of 5 failures within 10m, which ban 203\.0\.113\.9 for 10m$/],
    [
      'max_retry = 1',
      '',
      line,
      /jail door bans 203\.0\.113\.9 for 10m at once: the line counts 1 failure of 1$/,
    ],
    ['ban_time = "forever"', '', line, /which ban 203\.0\.113\.9 for good$/],
    ['ignore = ["203.0.113.0/24"]', '', line, /does not count it: 203\.0\.113\.9 is on its ignore list$/],
    [
      '',
      '[trust]\naddresses = ["203.0.113.9"]',
      line,
      /203\.0\.113\.9 is trusted, or an address of this\s+host$/,
    ],
    [
      'ignore = []',
      '',
      `${HEAD}refused root from 224.0.0.1`,
      /224\.0\.0\.1 can never be banned \(multicast\)$/,
    ],
    ['', '', `${HEAD}refused root from 2001:db8::1`, /which ban\s+2001:db8::\/64 for 10m$/],
    ['', '', `${HEAD}opened for root from 203.0.113.9`, /only failures count, and this is of kind success$/],
    [
      '',
      '',
      `${HEAD}passed by 203.0.113.9`,
      /the rule is of mode aggressive, and the mode of\s+the jail is normal$/,
    ],
  ];
  for (const [settings, top, text, expected] of expectations) {
    assert.match((await explain(writeConfig(t, settings, top), text)).out, expected, `${settings} ${top}`);
  }
});

test('without a configuration the filters are explained all the same', async (t) => {
  const missing = join(makeDirectory(t), 'none.toml');
  const { status, out, error } = await explain(missing, `${HEAD}refused root from 203.0.113.9`);
  assert.equal(status, 0);
  assert.match(error, /none\.toml: cannot be read/);
  assert.match(out, /there is no configuration to ask/);
});

test('a line may come with an identifier that it does not show, or as JSON', async (t) => {
  const configPath = writeConfig(t);
  const message = 'refused root from 203.0.113.9';
  assert.match(
    (await explain(configPath, '--as', 'message', '--identifier', 'door', message)).out,
    /read by door/,
  );
  const json = JSON.stringify({ message, identifier: 'door', unit: 'user@1000.service' });
  const { status, out } = await explain(configPath, '--as', 'jsonl', json);
  assert.equal(status, 1);
  assert.match(out, /not read by door: none of the fields that only journald writes is as they ask/);
});

test('what is no line is an error', async (t) => {
  const configPath = writeConfig(t);
  assert.match((await explain(configPath, '')).error, /there is nothing in the line/);
  assert.match((await explain(configPath, '--as', 'jsonl', '{')).error, /the line is no JSON object/);
});

test('lines on standard input are a session, and the last one is explained', async (t) => {
  const words = [MAIN, 'explain', '--config', writeConfig(t), '--filter', DOOR, '-'];
  const out = await new Promise<string>((resolve) => {
    const child = execFile(process.execPath, words, (_error, text) => resolve(text));
    child.stdin?.end(`${HEAD}asked by 203.0.113.9\n${HEAD}left without a word\n`);
  });
  assert.match(out, /^failure by door\/left\n {2}address {2}203\.0\.113\.9$/m);
});

test('nothing in a line can drive the terminal', async (t) => {
  const configPath = writeConfig(t);
  const evil = '\x1b[2J\x9b1m\u202e\x07\n';
  for (const line of [`${HEAD}refused ${evil} from 203.0.113.9`, `web door${evil}: refused`, evil]) {
    for (const words of [[line], ['--as', 'message', '--identifier', evil, line], ['--json', line]]) {
      const { out, error } = await explain(configPath, ...words);
      assert.doesNotMatch((out + error).replaceAll('\n', ''), /\p{C}/u);
    }
  }
});

test('the explanation of a line of 64 KiB is no page of it', async (t) => {
  const configPath = writeConfig(t);
  for (const words of [
    [`${HEAD}refused ${'root from '.repeat(6_500)}`],
    ['--as', 'message', '\0'.repeat(65_000)],
  ]) {
    const { out } = await explain(configPath, ...words);
    assert.ok(out.length < 10_000, `${out.length}`);
  }
});
