import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { MatchReport } from '../../../../src/cli/filter-tools/match-output.ts';
import { makeDirectory } from '../../../http/running-server.ts';
import {
  FILE_BEGINS,
  journalFilesMissing,
  sshdEntries,
  writeJournalFile,
} from '../../../sources/journal/journal-files.ts';
import { assertGolden, NOW, type Outcome, run } from '../../fake-terminal.ts';

const DOOR = fileURLToPath(new URL('../../filters/door.toml', import.meta.url));
const MAIN = fileURLToPath(new URL('../../../../src/main.ts', import.meta.url));

const LOG = [
  'Nov 20 10:00:00 web door[1]: refused root from 203.0.113.9',
  'Nov 20 10:00:01 web door[2]: opened for alice from 203.0.113.10',
  'Nov 20 10:00:02 web door[3]: asked by 2001:db8::1',
  'Nov 20 10:00:03 web door[4]: passed by 203.0.113.11',
  'Nov 20 10:00:04 web door[3]: left without a word',
  'Nov 20 10:00:05 web door[5]: left without a word',
  'Nov 20 10:00:06 web door[6]: refused root form 203.0.113.9',
  'Nov 20 10:00:07 web door[7]: refused mary form 203.0.113.12',
  'Nov 20 10:00:08 web cron[8]: refused root from 203.0.113.9',
  'Nov 20 10:00:09 web door-back[9]: refused  from ::ffff:203.0.113.9',
];

function writeLog(t: TestContext, text: string | Buffer = `${LOG.join('\n')}\n`, name = 'some.log'): string {
  const path = join(makeDirectory(t), name);
  writeFileSync(path, text);
  return path;
}

async function matchFile(path: string, ...options: string[]): Promise<Outcome & { found: MatchReport[] }> {
  const outcome = await run(['match', '--filter', DOOR, ...options, path]);
  const isJson = !options.includes('--text') && !options.includes('--summary') && outcome.out !== '';
  const found = isJson ? outcome.out.split('\n').map((line) => JSON.parse(line) as MatchReport) : [];
  return { ...outcome, found };
}

/** The objects as JSON lines. */
function jsonLines(...values: readonly unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join('\n');
}

test('each match is one JSON object, in the order of the lines', async (t) => {
  const { status, error, found } = await matchFile(writeLog(t));
  assert.deepEqual([status, error], [0, '']);
  assert.deepEqual(
    found.map(({ line, rule, kind, address, user }) => [line, rule, kind, address, user]),
    [
      [1, 'refused', 'failure', '203.0.113.9', 'root'],
      [2, 'opened', 'success', null, 'alice'],
      [3, 'asked', 'note', null, null],
      [5, 'left', 'failure', '2001:db8::1', null],
      [10, 'refused', 'failure', '203.0.113.9', null],
    ],
  );
  assert.deepEqual(found[1]?.fields, { user: 'alice', address: '203.0.113.10' });
  assert.deepEqual(Object.keys(found[0] ?? {}), [
    'line',
    'filter',
    'rule',
    'kind',
    'mode',
    'address',
    'user',
    'fields',
  ]);
});

test('rules of a wider mode are for those who ask for it', async (t) => {
  const { found } = await matchFile(writeLog(t), '--mode', 'aggressive');
  assert.ok(found.some(({ rule, mode }) => rule === 'passed' && mode === 'aggressive'));
});

test('the status is 1 when nothing matches', async (t) => {
  assert.deepEqual((await matchFile(writeLog(t, 'nothing\n'))).status, 1);
  assert.deepEqual((await matchFile(writeLog(t, ''))).status, 1);
});

test('a JSON line goes the way that its identifier names; without one every filter is tried', async (t) => {
  const message = 'refused root from 203.0.113.9';
  const path = writeLog(
    t,
    jsonLines(
      { id: 'a', message, identifier: 'door' },
      { id: 2, message, identifier: 'cron' },
      { id: 3, message },
      { id: 4, message, identifier: null },
      { message, identifier: 'door' },
    ),
  );
  const { found } = await matchFile(path, '--as', 'jsonl');
  assert.deepEqual(
    found.map(({ id, line }) => [id, line]),
    [
      ['a', 1],
      [3, 3],
      [4, 4],
      [undefined, 5],
    ],
  );
});

test('a unit makes a JSON line an entry of the journal, which the filter must trust', async (t) => {
  const message = 'refused root from 203.0.113.9';
  const path = writeLog(
    t,
    jsonLines(
      { id: 1, message, identifier: 'door', unit: 'door.service' },
      { id: 2, message, identifier: 'door', unit: 'user@1000.service' },
      { id: 3, message, unit: 'door.service' },
      { id: 4, message, unit: 'user@1000.service' },
    ),
  );
  const { found } = await matchFile(path, '--as', 'jsonl');
  assert.deepEqual(
    found.map(({ id }) => id),
    [1, 3],
  );
});

test('sessions are told apart by sender, identifier and pid', async (t) => {
  const asked = { message: 'asked by 203.0.113.9', identifier: 'door', pid: 1 };
  const left = { message: 'left without a word', identifier: 'door', pid: 1 };
  const path = writeLog(
    t,
    jsonLines(
      asked,
      { id: 'other sender', ...left, sender: '192.0.2.1' },
      { id: 'other identifier', ...left, identifier: 'door-back' },
      { id: 'other pid', ...left, pid: 2 },
      { id: 'same', ...left },
    ),
  );
  const { found } = await matchFile(path, '--as', 'jsonl');
  assert.deepEqual(
    found.filter(({ kind }) => kind === 'failure').map(({ id }) => id),
    ['same'],
  );
});

test('a session in a syslog file ends after some minutes of its own time', async (t) => {
  const path = writeLog(
    t,
    [
      'Nov 20 10:00:00 web door[3]: asked by 203.0.113.9',
      'Nov 20 11:00:00 web door[3]: left without a word',
    ].join('\n'),
  );
  const { found } = await matchFile(path);
  assert.deepEqual(
    found.map(({ rule }) => rule),
    ['asked'],
  );
});

test('a message is tried as it is', async (t) => {
  const path = writeLog(t, 'refused root from 203.0.113.9\ndoor: refused root from 203.0.113.9\n');
  const { found } = await matchFile(path, '--as', 'message');
  assert.deepEqual(
    found.map(({ line }) => line),
    [1],
  );
});

test('lines that are no JSON are named, ten of them, and passed over', async (t) => {
  const path = writeLog(t, `${'{\n'.repeat(50)}{"message":"refused root from 203.0.113.9"}`);
  const { status, error, found } = await matchFile(path, '--as', 'jsonl');
  assert.deepEqual([status, found.length], [0, 1]);
  const complaints = error.split('\n');
  assert.equal(complaints.length, 10);
  assert.ok(complaints[0]?.endsWith('some.log: line 1 is no JSON object'), complaints.join('\n'));
  assert.match(complaints[9] ?? '', /line 10 .*; further ones are only counted$/);
});

test('every filter that is installed is tried unless some are named', async (t) => {
  const path = writeLog(t, 'Nov 20 10:00:00 web sshd[1]: Invalid user x from 203.0.113.9 port 40022\n');
  const { out } = await run(['match', path]);
  assert.equal((JSON.parse(out) as MatchReport).filter, 'sshd');
});

test('a filter that nobody has is answered with the nearest one', async (t) => {
  const { status, error } = await run(['match', '--filter', 'ssdh', writeLog(t)]);
  assert.equal(status, 1);
  assert.equal(error, 'bailiff: there is no filter ssdh\n  did you mean sshd?');
});

test('a filter that cannot be used is told of, and the others are tried', async (t) => {
  const gate = fileURLToPath(new URL('../../filters/gate.toml', import.meta.url));
  const { status, error, found } = await matchFile(writeLog(t), '--filter', gate);
  assert.match(error, /gate\.toml:9:3: rule `closed`: the sample gives the address/);
  assert.deepEqual([status, found.length], [0, 5]);
});

test('a packed file is unpacked, and one that is not there is told of', async (t) => {
  const { found } = await matchFile(writeLog(t, gzipSync(LOG.join('\n')), 'some.log.gz'));
  assert.equal(found.length, 5);
  const { status, error } = await matchFile(join(makeDirectory(t), 'none.log'));
  assert.equal(status, 1);
  assert.match(error, /^bailiff: cannot read .*none\.log: there is no such file$/);
});

test('what comes before the damage in a packed file is matched', async (t) => {
  const packed = gzipSync(`${LOG.join('\n')}\n`.repeat(20_000));
  const { status, error, found } = await matchFile(writeLog(t, packed.subarray(0, -50), 'some.log.gz'));
  assert.equal(status, 1);
  assert.match(error, /cannot unpack .*\n {2}what came before the damage was read$/);
  assert.ok(found.length > 10_000);
});

/** Text whose times do not differ from run to run. */
function withoutTimes(text: string): string {
  return text
    .replace(/in [\d.]+ s \([\d,]+ a second\)/, 'in N s')
    .replace(/ *TIME$/m, '  TIME')
    .replace(/ *\d[\d.]* (?:µs|ms)$/gm, '  N ms');
}

test('people get text, with a summary of the rules and the lines that came close', async (t) => {
  const { status, out } = await matchFile(writeLog(t), '--text');
  assert.equal(status, 0);
  assertGolden('match', withoutTimes(out));
});

test('the summary alone is there for long logs', async (t) => {
  const { out } = await matchFile(writeLog(t, `${LOG.join('\n')}\n`.repeat(50)), '--summary');
  assertGolden('match-summary', withoutTimes(out));
});

test('the summary says what was refused, why, and what to do', async (t) => {
  const entry = { message: 'refused root from 203.0.113.9', identifier: 'door', unit: 'shop.service' };
  const path = writeLog(t, JSON.stringify(entry));
  const { out } = await matchFile(path, '--as', 'jsonl', '--summary');
  assert.match(
    out.replace(/\s+/g, ' '),
    /refused: 1 entry named door came from shop.service, which filter door does not believe: if shop.service is/,
  );
});

test('a terminal gets text, in which the parts of the line have colours', async (t) => {
  const paint = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
  const [bold, dim, red, yellow, green] = ['b', 'd', 'r', 'y', 'g'].map(paint) as [
    ReturnType<typeof paint>,
    ReturnType<typeof paint>,
    ReturnType<typeof paint>,
    ReturnType<typeof paint>,
    ReturnType<typeof paint>,
  ];
  const style = { bold, dim, red, yellow, green };
  const words = ['match', '--filter', DOOR, writeLog(t)];
  const { out } = await run(words, { isSeen: true, style });
  assert.equal(out.split('\n')[0], '<d>1: door[1]: </d>refused <y>root</y> from <r>203.0.113.9</r>');
  const json = await run([...words, '--json'], { isSeen: true, style });
  assert.ok(json.out.startsWith('{"line":1,'));
});

test('nothing in a log can drive the terminal', async (t) => {
  const evil = '\x1b[2J\x9b1m\u202e\x07\x7f';
  const text = [
    `Nov 20 10:00:00 web door[1]: refused ${evil} from 203.0.113.9`,
    `Nov 20 10:00:00 web door${evil}[1]: refused ${evil} from 203.0.113.9`,
    `Nov 20 10:00:00 web door[1]: refused ${evil} form 203.0.113.9`,
    `refused ${evil} from 203.0.113.9`,
    'refused \xff\0 from 203.0.113.9',
  ].join('\n');
  for (const form of ['syslog', 'message']) {
    for (const look of ['--json', '--text', '--summary']) {
      const { out, error } = await matchFile(writeLog(t, text), '--as', form, look);
      assert.doesNotMatch((out + error).replaceAll('\n', ''), /\p{C}/u, `${form} ${look}`);
    }
  }
});

test('reading stops when nobody is left to print to', async (t) => {
  const path = writeLog(t, `${LOG.join('\n')}\n`.repeat(20_000));
  let drained = 0;
  const { out } = await run(['match', '--filter', DOOR, path], { drain: async () => ++drained < 2 });
  assert.equal(drained, 2);
  const last = JSON.parse(out.slice(out.lastIndexOf('\n') + 1)) as MatchReport;
  assert.ok(last.line < 20_000, `${last.line}`);
});

test('while a long input is read, its progress shows', async (t) => {
  const path = writeLog(t, `${LOG.join('\n')}\n`.repeat(20_000));
  const shown: string[] = [];
  let now = NOW;
  await run(['match', '--filter', DOOR, path], {
    showProgress: (text) => shown.push(text),
    now: () => {
      now += 60;
      return now;
    },
  });
  assert.match(shown[0] ?? '', /^\[=*> *\] +\d+ % {2}[\d,]+ lines {2}[\d,]+\/s {2}[\d,]+ matched$/);
  assert.ok(shown.length > 3);
  assert.equal(shown.at(-1), '');
});

test('the journal is read once, from when it is asked for', { skip: journalFilesMissing }, async (t) => {
  const directory = makeDirectory(t);
  writeJournalFile(join(directory, 'one.journal'), sshdEntries(20));
  const words = ['match', '--filter', 'sshd', '--journal', directory];
  const all = (await run(words)).out.split('\n').map((line) => JSON.parse(line) as MatchReport);
  assert.deepEqual([all.length, all[0]?.line, all[0]?.address], [20, 1, '203.0.113.9']);
  const later = new Date(FILE_BEGINS / 1_000 + 3_600_000).toISOString().slice(0, 19);
  const { status, out } = await run([...words, '--since', `${later}Z`]);
  assert.deepEqual([status, out], [1, '']);
});

test('a journal that is not there is an error with advice', async (t) => {
  const { status, error } = await run([
    'match',
    '--filter',
    DOOR,
    '--journal',
    join(makeDirectory(t), 'none'),
  ]);
  assert.equal(status, 1);
  assert.match(error, /^bailiff: cannot read .*: no directory/);
});

test('standard input is read when no file is named', async () => {
  const outcome = await new Promise<Outcome>((resolve) => {
    const child = execFile(process.execPath, [MAIN, 'match', '--filter', DOOR], (error, out, complaint) =>
      resolve({ status: error === null ? 0 : Number(error.code), out: out.trimEnd(), error: complaint }),
    );
    child.stdin?.end(`${LOG[0]}\n`);
  });
  assert.deepEqual([outcome.status, outcome.error], [0, '']);
  assert.equal((JSON.parse(outcome.out) as MatchReport).address, '203.0.113.9');
});

test('a reader that has seen enough ends it without noise, although the log never ends', async () => {
  const endless = `yes '${LOG[0]}' | "${process.execPath}" "${MAIN}" match --filter "${DOOR}" | head -n 1`;
  const { out, error } = await new Promise<Outcome>((resolve) => {
    execFile('sh', ['-c', endless], (_error, out, complaint) =>
      resolve({ status: 0, out, error: complaint }),
    );
  });
  assert.deepEqual([out.split('\n').length, error], [2, '']);
});
