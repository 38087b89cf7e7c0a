import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { runCommandLine } from '../../src/cli/program.ts';
import type { BailiffEvent } from '../../src/core/event.ts';
import type { Ban } from '../../src/core/ledger/decision.ts';
import { BAN_CHANGE, BANS, banReport, FakeControl } from '../http/fake-control.ts';
import { type RunningServer, startServer } from '../http/running-server.ts';
import { fakeTerminal, run } from './fake-terminal.ts';

const BAN: Ban = {
  jail: 'sshd',
  offender: '203.0.113.20',
  since: 1_795_219_800_000_000,
  until: 1_795_220_400_000_000,
  cause: 'offence',
  failures: 5,
};

function banOf(serial: number, changes: Partial<Ban> = {}): BailiffEvent {
  const ban = { ...BAN, ...changes };
  return { kind: 'ban', ban, at: ban.since, position: { session: 'life', serial }, lacks: [] };
}

/** `bailiff bans --follow` on a server, until `stop`; `lines(n)` resolves when it has printed so many in all. */
function follow(t: TestContext, socketPath: string, ...words: readonly string[]) {
  const interruption = new AbortController();
  let isRead = true;
  const terminal = fakeTerminal({ interruption: () => interruption.signal, drain: async () => isRead });
  const ended = runCommandLine(['bans', '--follow', '--socket', socketPath, ...words], terminal);
  t.after(() => interruption.abort());
  const until = async (isThere: () => boolean): Promise<void> => {
    while (!isThere()) await new Promise(setImmediate);
  };
  return {
    ...terminal,
    ended,
    lines: (count: number) => until(() => terminal.printed.length >= count),
    said: (count: number) => until(() => terminal.complained.length >= count),
    leave: () => {
      isRead = false;
    },
    stop: () => {
      interruption.abort();
      return ended;
    },
  };
}

async function listened(running: RunningServer): Promise<void> {
  while (running.subscribers.size === 0) await new Promise(setImmediate);
}

test('a person sees the latest bans and then each change, in local time', async (t) => {
  const running = await startServer(t);
  const { printed, complained, lines, stop } = follow(t, running.socketPath);
  await lines(2);
  await listened(running);
  running.publish(banOf(8));
  running.publish({ ...banOf(9), kind: 'extend' } as BailiffEvent);
  running.publish({ ...banOf(10), kind: 'unban', cause: 'expiry' } as BailiffEvent);
  await lines(5);
  assert.equal(await stop(), 0);
  assert.deepEqual(printed, [
    '2026-11-20 23:59:00 banned 2001:db8:1:2::/64 in sshd forever (by the operator)',
    '2026-11-21 00:10:05 banned 203.0.113.9 in sshd for 10m (5 failures)',
    '2026-11-21 00:10:00 banned 203.0.113.20 in sshd for 10m (5 failures)',
    '2026-11-21 00:10:00 extended the ban of 203.0.113.20 in sshd for 10m (5 failures)',
    '2026-11-21 00:10:00 unbanned 203.0.113.20 in sshd: its time is over',
  ]);
  assert.deepEqual(complained, []);
});

test('of many bans a person sees the latest ten', async (t) => {
  const control = new FakeControl();
  control.held = Array.from({ length: 12 }, (_, index) => banReport({ offender: `198.51.100.${index}` }));
  const { printed, complained, lines, stop } = follow(t, (await startServer(t, control)).socketPath);
  await lines(10);
  await stop();
  assert.deepEqual(complained, ['bailiff: 12 bans in force, the latest:']);
  assert.match(printed[0] ?? '', /198\.51\.100\.2 /);
});

test('a program gets all bans after a reset, and then each change, a line of JSON each', async (t) => {
  const running = await startServer(t);
  const { printed, lines, stop } = follow(t, running.socketPath, '--json');
  await lines(3);
  await listened(running);
  running.publish(banOf(8));
  await lines(4);
  await stop();
  const { ban } = BAN_CHANGE;
  assert.deepEqual(JSON.parse(printed[0] ?? ''), { kind: 'reset', position: 'life.7', bans: 2 });
  assert.deepEqual(JSON.parse(printed[2] ?? ''), { kind: 'ban', position: 'life.7', at: ban.since, ban });
  const change = JSON.parse(printed[3] ?? '') as typeof BAN_CHANGE;
  assert.deepEqual([change.position, change.ban.offender], ['life.8', '203.0.113.20']);
});

test('of one jail nothing else is told', async (t) => {
  const running = await startServer(t);
  const { printed, lines, stop } = follow(t, running.socketPath, '--jail', 'mail');
  await listened(running);
  running.publish(banOf(8));
  running.publish(banOf(9, { jail: 'mail' }));
  await lines(1);
  await stop();
  assert.deepEqual(printed, ['2026-11-21 00:10:00 banned 203.0.113.20 in mail for 10m (5 failures)']);
  const unknown = await run(['bans', '--follow', '--jail', 'never', '--socket', running.socketPath]);
  assert.deepEqual([unknown.status, unknown.error], [1, 'bailiff: there is no jail "never"']);
});

test('a daemon that goes away is waited for, and what has changed meanwhile is told', async (t) => {
  const control = new FakeControl();
  const first = await startServer(t, control);
  const { printed, complained, lines, said, stop } = follow(t, first.socketPath);
  await listened(first);
  await first.server.stop();
  await said(1);
  control.position = { session: 'next', serial: 8 };
  control.bansSince = async ({ session, serial }) => {
    assert.deepEqual([session, serial], ['life', 7]);
    return { position: 'next.8', changes: [{ ...BAN_CHANGE, position: 'next.8' }] };
  };
  await startServer(t, control, first.directory);
  await lines(BANS.length + 1);
  await stop();
  assert.deepEqual(complained, [
    'bailiff: the daemon has gone away; waiting for it',
    'bailiff: the daemon is back',
  ]);
  assert.match(printed.at(-1) ?? '', / banned 203\.0\.113\.9 in sshd/);
});

test('who has missed too much is told so, a program with all bans', async (t) => {
  for (const words of [[], ['--json']]) {
    const control = new FakeControl();
    const first = await startServer(t, control);
    const follower = follow(t, first.socketPath, ...words);
    await listened(first);
    await first.server.stop();
    await follower.said(1);
    control.position = { session: 'other', serial: 1 };
    const second = await startServer(t, control, first.directory);
    if (words.length === 0) await follower.said(3);
    else await follower.lines(2 * (1 + BANS.length));
    // It goes on from there.
    await listened(second);
    second.publish({ ...banOf(2), position: { session: 'other', serial: 2 } } as BailiffEvent);
    await follower.lines(words.length === 0 ? BANS.length + 1 : 2 * (1 + BANS.length) + 1);
    await follower.stop();
    if (words.length === 0)
      assert.equal(
        follower.complained[2],
        'bailiff: what has changed meanwhile is not known any more; 2 bans in force',
      );
    else assert.match(follower.printed[3] ?? '', /^\{"kind":"reset","position":"other\.1","bans":2\}$/);
  }
});

test('it ends with 0 when nobody is left to read, and with 3 when there was no daemon at all', async (t) => {
  const running = await startServer(t);
  const { lines, leave, ended } = follow(t, running.socketPath);
  await lines(2);
  await listened(running);
  leave();
  running.publish(banOf(8));
  assert.equal(await ended, 0);
  const nobody = await run(['bans', '--follow', '--socket', `${running.directory}/nobody.sock`]);
  assert.equal(nobody.status, 3);
});
