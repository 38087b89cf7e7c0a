import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { banReport, SSHD } from '../../../http/fake-control.ts';
import { makeDirectory, startServer } from '../../../http/running-server.ts';
import { run } from '../../fake-terminal.ts';
import {
  openFish,
  openZsh,
  type Shell,
  typeIntoBash,
  whyNoBashCompletion,
  whyNot,
} from '../../shells/shells.ts';

/** What every shell offers for a line. */
const OFFERS: ReadonlyArray<readonly [string, readonly string[]]> = [
  ['bailiff sta', ['status']],
  ['bailiff status ', ['mail', 'sshd']],
  ['bailiff status s', ['sshd']],
  ['bailiff unban ', ['2001:db8:1:2::/64', '203.0.113.9']],
  ['bailiff unban 2001:db8:', ['2001:db8:1:2::/64']],
  ['bailiff bans --jail ', ['mail', 'sshd']],
  ['bailiff match --as ', ['jsonl', 'message', 'syslog']],
  ['bailiff import ', ['fail2ban']],
  ['bailiff completion z', ['zsh']],
  ['bailiff lint vsf', ['vsftpd']],
];

const SHELLS: Readonly<Record<string, (t: TestContext) => Promise<Shell>>> = { zsh: openZsh, fish: openFish };

for (const [name, open] of Object.entries(SHELLS)) {
  test(`${name} completes commands, options, jails, filters and banned addresses`, async (t) => {
    const reason = whyNot(name);
    if (reason !== null) return t.skip(reason);
    const shell = await open(t);
    for (const [line, offered] of OFFERS) {
      assert.deepEqual([...new Set(await shell.complete(line))].sort(), offered, line);
    }
    const flags = await shell.complete('bailiff bans --');
    assert.deepEqual([...new Set(flags)].sort(), ['--follow', '--help', '--jail', '--json', '--socket']);
    const commands = await shell.complete('bailiff ');
    assert.ok(commands.includes('run') && commands.includes('unban'));
    assert.ok(!commands.includes('complete'), 'what the completions ask is not offered');
  });

  test(`${name} offers nothing when the daemon is off, and says nothing`, async (t) => {
    const reason = whyNot(name);
    if (reason !== null) return t.skip(reason);
    const shell = await open(t);
    await shell.running.server.stop();
    assert.deepEqual(await shell.complete('bailiff unban '), []);
  });
}

/** Lines as they are typed, and the words that the command then gets. */
const TYPED: ReadonlyArray<readonly [string, string]> = [
  ['bailiff unb\t2001:d\t', 'unban 2001:db8:1:2::/64'],
  ['bailiff unban 203.0\t--jai\tss\t', 'unban 203.0.113.9 --jail sshd'],
  ['bailiff sta\tss\t', 'status sshd'],
  ['bailiff match --as m\t--mode ag\t', 'match --as message --mode aggressive'],
  ['bailiff test vsf\t', 'test vsftpd'],
  ['bailiff check --config bi\t', 'check --config bin/'],
  ['bailiff completion f\t', 'completion fish'],
];

for (const withPackage of [false, true]) {
  const how = withPackage ? 'loaded by the package bash-completion' : 'without the package bash-completion';
  test(`bash completes what is typed, ${how}`, async (t) => {
    const reason = whyNot('bash', 'script') ?? (withPackage ? whyNoBashCompletion() : null);
    if (reason !== null) return t.skip(reason);
    const lines = TYPED.map(([line]) => line);
    const ran = await typeIntoBash(t, lines, withPackage);
    assert.deepEqual(
      ran,
      TYPED.map(([, words]) => words),
    );
  });
}

test('a shell that is not known is refused with those that are', async () => {
  const { status, out, error } = await run(['completion', 'tcsh']);
  assert.deepEqual([status, out], [2, '']);
  assert.match(error, /Allowed choices are bash, zsh, fish/);
});

test('what the completions ask is answered with plain words only, whatever the daemon holds', async (t) => {
  const { socketPath, control } = await startServer(t);
  const hostile = ['$(reboot)', 'a b', '`id`', '--all', '203.0.113.9\n', "'", '\x1b[2J', '*'];
  control.held = [...hostile, '198.51.100.7'].map((offender) => banReport({ offender }));
  control.state = {
    ...control.state,
    jails: [...control.state.jails, ...hostile.map((name) => ({ ...SSHD, name }))],
  };
  const environment = { BAILIFF_SOCKET: socketPath };
  assert.equal((await run(['complete', 'banned'], { environment })).out, '198.51.100.7');
  assert.equal((await run(['complete', 'jails'], { environment })).out, 'mail\nsshd');
});

test('what the completions ask is silent and done when nobody answers', async () => {
  const quiet = { status: 0, out: '', error: '' };
  assert.deepEqual(await run(['complete', 'jails', '--socket', '/nonexistent/socket']), quiet);
  assert.deepEqual(await run(['complete', 'banned', '--socket', '/etc/passwd']), quiet);
});

test('a daemon that takes the question and says nothing is not waited for', async (t) => {
  const socketPath = join(makeDirectory(t), 'mute.sock');
  const mute = createServer(() => undefined).listen(socketPath);
  await once(mute, 'listening');
  t.after(() => mute.close());
  const outcome = await run(['complete', 'jails', '--socket', socketPath]);
  assert.deepEqual(outcome, { status: 0, out: '', error: '' });
});

test('of a long list of bans the first thousand are offered', async (t) => {
  const { socketPath, control } = await startServer(t);
  control.held = Array.from({ length: 5_000 }, (_, index) =>
    banReport({ offender: `10.1.${index >> 8}.${index & 255}` }),
  );
  const { out } = await run(['complete', 'banned', '10.', '--socket', socketPath]);
  assert.equal(out.split('\n').length, 1_000);
});
