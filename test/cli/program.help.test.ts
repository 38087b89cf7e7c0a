import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWholeProgram } from '../../src/cli/program.ts';
import { assertGolden, fakeTerminal, run } from './fake-terminal.ts';

const COMMANDS = [
  'run',
  'status',
  'bans',
  'ban',
  'unban',
  'senders',
  'jails',
  'reload',
  'doctor',
  'match',
  'explain',
  'test',
  'lint',
  'import',
  'fail2ban-client',
  'tls',
  'check',
  'completion',
  'ping',
  'version',
];

test('the help lists every command', async () => {
  const { status, out, error } = await run(['--help']);
  assert.deepEqual([status, error], [0, '']);
  for (const command of COMMANDS) assert.match(out, new RegExp(`^  ${command} `, 'm'));
  assertGolden('help', out);
});

for (const command of COMMANDS) {
  test(`bailiff ${command} --help explains itself, with examples`, async () => {
    const { status, out, error } = await run([command, '--help']);
    assert.deepEqual([status, error], [0, '']);
    assert.match(out, new RegExp(`^Examples:\n  bailiff ${command}`, 'm'));
    assert.equal((await run(['help', command])).out, out);
    assertGolden(`help-${command}`, out);
  });
}

/** Every command of a command, as its words: `tls issue`. */
const INNER = (await createWholeProgram(fakeTerminal())).commands.flatMap((command) =>
  command.commands.filter((inner) => inner.name() !== 'help').map((inner) => [command.name(), inner.name()]),
);

test('a command of a command explains itself too, and its errors say where', async () => {
  assert.ok(INNER.length > 0);
  for (const words of INNER) {
    const { status, out } = await run([...words, '--help']);
    assert.equal(status, 0);
    assert.match(out, new RegExp(`^Usage: bailiff ${words.join(' ')}`), words.join(' '));
    const { status: wrong, error } = await run([...words, '--nonsense']);
    assert.equal(wrong, 2);
    assert.ok(error.endsWith(`(see bailiff ${words.join(' ')} --help)`), error);
  }
});

test('the list of commands here is that of the program', async () => {
  const program = await createWholeProgram(fakeTerminal());
  const visible = program.createHelp().visibleCommands(program);
  const names = visible.map((command) => command.name()).filter((name) => name !== 'help');
  assert.deepEqual(names, COMMANDS);
});

test('no line of any help is wider than 80 columns', async () => {
  for (const words of [
    ['--help'],
    ...[...COMMANDS.map((command) => [command]), ...INNER].map((words) => [...words, '--help']),
  ]) {
    for (const line of (await run(words)).out.split('\n')) assert.ok(line.length <= 80, line);
  }
});

test('a word that is no command is answered with the nearest one, and status 2', async () => {
  const { status, out, error } = await run(['statsu']);
  assert.deepEqual([status, out], [2, '']);
  assert.equal(error, "bailiff: unknown command 'statsu'\n(Did you mean status?)\n(see bailiff --help)");
});

test('names of every object are no commands', async () => {
  for (const word of ['constructor', '__proto__', 'toString']) {
    assert.equal((await run([word])).status, 2, word);
  }
});

test('every misuse of a command ends with status 2, its reason and where to look', async () => {
  const expectations: ReadonlyArray<readonly [string, RegExp]> = [
    ['status --jso', /unknown option '--jso'\n\(Did you mean --json\?\)\n\(see bailiff status --help\)$/],
    ['status sshd mail', /too many arguments for 'status'/],
    ['ban --jail sshd', /missing required argument 'ADDRESS'/],
    ['ban 203.0.113 --jail sshd', /'203\.0\.113' is invalid .* It is not an address or a network/],
    ['ban 203.0.113.9 --jail sshd --for soon', /'soon' is invalid\. Write it as 10m/],
    ['unban', /name one address, or --all/],
    ['bans 203.0.113.9 --follow', /--follow is for all addresses/],
    ['unban 203.0.113.9 --all', /name one address, or --all/],
    ['unban 0177.0.0.1', /not an address/],
    ['bans --jail', /argument missing/],
    ['ping --socket', /argument missing/],
    ['match --as csv', /'csv' is invalid\. Allowed choices are syslog, message, jsonl/],
    ['match --since 1h', /--since is for --journal only/],
    ['match --journal auth.log --since soon', /'soon' is invalid\. Write it as 2h/],
    ['match --json --text', /option '--json' cannot be used with option '--text'/],
    ['explain', /missing required argument 'LINE'/],
    ['completion', /missing required argument 'SHELL'/],
    ['completion tcsh', /Allowed choices are bash, zsh, fish/],
  ];
  for (const [line, reason] of expectations) {
    const { status, out, error } = await run(line.split(' '));
    assert.deepEqual([status, out], [2, ''], line);
    assert.match(error, reason, line);
    assert.match(error, new RegExp(`\\(see bailiff ${line.split(' ')[0]} --help\\)$`));
  }
});

test('without a command the help goes to standard error, with status 2', async () => {
  const { status, out, error } = await run([]);
  assert.deepEqual([status, out], [2, '']);
  assert.match(error, /^Usage: bailiff/);
});

test('what a script passes on from an attacker cannot drive the terminal', async () => {
  const { status, error } = await run(['unban', '\x1b[2J\x9b1m\u202e']);
  assert.equal(status, 2);
  assert.doesNotMatch(error.replaceAll('\n', ''), /\p{C}/u);
  assert.match(error, /\\x1b\[2J\\x9b1m\\u202e/);
});
