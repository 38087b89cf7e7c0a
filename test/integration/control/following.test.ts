/** `bailiff bans --follow` against a real daemon that is stopped, killed and started again meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { BanChangeReport } from '../../../src/http/control.ts';
import type { Bed } from '../../bed/namespace.ts';
import type { BedProcess } from '../../bed/process.ts';
import type { Daemon } from '../../bed/services/daemon.ts';
import { openScene, SOON_MILLISECONDS, sceneMissing } from '../scene.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

function follow(bed: Bed, daemon: Daemon, ...words: readonly string[]): Promise<BedProcess> {
  return bed.start([process.execPath, MAIN, 'bans', '--follow', '--socket', daemon.socketPath, ...words]);
}

/** A copy of the bans, kept as docs/following-bans.md says, by what `--follow --json` has printed. */
function copyOf(output: string): string[] {
  const copy = new Set<string>();
  for (const text of output.split('\n').filter((line) => line.startsWith('{'))) {
    const line = JSON.parse(text) as BanChangeReport | { readonly kind: 'reset' };
    if (line.kind === 'reset') copy.clear();
    else if (line.kind === 'unban') copy.delete(line.ban.offender);
    else copy.add(line.ban.offender);
  }
  return [...copy].sort();
}

test('a follower sees every change once, over restarts, and ends with 0 at Ctrl-C', {
  skip: sceneMissing,
}, async () => {
  const { bed, daemon } = await openScene();
  await using _ = bed;
  const ban = (address: string) => daemon.command('ban', address, '--jail', 'sshd');
  await ban('203.0.113.1');
  const programme = await follow(bed, daemon, '--json');
  const person = await follow(bed, daemon);
  await person.waitForLine(/ banned 203\.0\.113\.1 in sshd for .* \(by the operator/, SOON_MILLISECONDS);
  await programme.waitForLine(/"203\.0\.113\.1"/, SOON_MILLISECONDS);
  await ban('203.0.113.2');
  await daemon.command('unban', '203.0.113.1');
  await person.waitForLine(/ unbanned 203\.0\.113\.1 in sshd: /, SOON_MILLISECONDS);
  await programme.waitForLine(/"kind":"unban"/, SOON_MILLISECONDS);

  await daemon.stop();
  await person.waitForLine(/^bailiff: the daemon has gone away; waiting for it$/, SOON_MILLISECONDS);
  await daemon.restart();
  await ban('203.0.113.3');
  await person.waitForLine(/^bailiff: the daemon is back$/, SOON_MILLISECONDS);
  await person.waitForLine(/ banned 203\.0\.113\.3 /, SOON_MILLISECONDS);
  await programme.waitForLine(/"203\.0\.113\.3"/, SOON_MILLISECONDS);
  await daemon.kill9();
  await daemon.restart();
  await ban('203.0.113.4');
  await person.waitForLine(/ banned 203\.0\.113\.4 /, SOON_MILLISECONDS);
  await programme.waitForLine(/"203\.0\.113\.4"/, SOON_MILLISECONDS);

  for (const running of [programme, person]) running.kill('SIGINT');
  const [told, shown] = await Promise.all([programme.ended, person.ended]);
  assert.deepEqual([told.status, shown.status], [0, 0]);
  assert.deepEqual(copyOf(told.stdout), ['203.0.113.2', '203.0.113.3', '203.0.113.4']);
  assert.equal(told.stdout.match(/"kind":"reset"/g)?.length, 1, 'nothing had to be told anew');
  const deeds = shown.stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\S+ \S+ (\S+ \S+) .*/, '$1'));
  assert.deepEqual(deeds, [
    'banned 203.0.113.1',
    'banned 203.0.113.2',
    'unbanned 203.0.113.1',
    'banned 203.0.113.3',
    'banned 203.0.113.4',
  ]);
});

test('a follower whose reader goes away ends at the next line', { skip: sceneMissing }, async () => {
  const { bed, daemon } = await openScene();
  await using _ = bed;
  await daemon.command('ban', '203.0.113.1', '--jail', 'sshd');
  const command = `"$0" "$1" bans --follow --socket "$2" | head -n 1; echo "ended with \${PIPESTATUS[0]}"`;
  const pipe = await bed.start(['bash', '-c', command, process.execPath, MAIN, daemon.socketPath]);
  await pipe.waitForLine(/ banned 203\.0\.113\.1 /, SOON_MILLISECONDS);
  await daemon.command('ban', '203.0.113.2', '--jail', 'sshd');
  await daemon.command('ban', '203.0.113.3', '--jail', 'sshd');
  await pipe.waitForLine(/^ended with 0$/, SOON_MILLISECONDS);
});
