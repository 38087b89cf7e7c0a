/** `bailiff doctor` on a host that is well, and on some that are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Verdict } from '../../src/cli/doctor/check.ts';
import { type Bed, openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { bailiff, type Daemon } from '../bed/services/daemon.ts';
import { Journald } from '../bed/services/journald.ts';
import { CONFIGURATION, failLogins, SOON_MILLISECONDS, sceneMissing, startDaemon } from './scene.ts';

const skip = sceneMissing || (requirements('root') ?? false);
const XDP_ATTACHER = fileURLToPath(new URL('../bed/xdp-attacher.ts', import.meta.url));
const LISTENING = `${CONFIGURATION}\n[syslog]\nudp = ["127.0.0.1:5514"]\n`;

async function examine(bed: Bed, daemon: Daemon) {
  const { status, stdout, stderr } = await bailiff(
    bed,
    'doctor',
    '--json',
    '--socket',
    daemon.socketPath,
    '--config',
    `${daemon.directory}/bailiff.toml`,
  );
  assert.equal(stderr, '');
  const { verdicts } = JSON.parse(stdout) as { readonly verdicts: readonly Verdict[] };
  const of = (check: string) => verdicts.filter((verdict) => verdict.check === check);
  return { status, verdicts, of };
}

test('a host that is well has no trouble, and its kernel is seen to keep a banned address out', {
  skip,
}, async () => {
  await using bed = await openBed();
  const journald = await Journald.start(bed);
  const daemon = await startDaemon(bed);
  await failLogins(journald, '203.0.113.1', 3);
  await daemon.waitForLine(/banned 203\.0\.113\.1 in sshd/, SOON_MILLISECONDS);
  const { status, verdicts, of } = await examine(bed, daemon);
  assert.equal(status, 0, JSON.stringify(verdicts));
  assert.deepEqual(
    verdicts.filter(({ verdict }) => verdict !== 'ok' && verdict !== 'skipped'),
    [],
  );
  assert.deepEqual(
    of('ban').map(({ verdict, text }) => `${verdict} ${text}`),
    ['ok a banned address was kept out, and let in again when it was unbanned'],
  );
  assert.equal(
    (await bed.run(['nft', 'list', 'tables'])).stdout,
    'table inet bailiff\n',
    'nothing is left behind',
  );
});

test('a chain at ingress, an XDP program, fail2ban, a taken port and a daemon that is gone are found', {
  skip,
}, async () => {
  await using bed = await openBed();
  await Journald.start(bed);
  await bed.run(['ip', 'link', 'add', 'spare0', 'type', 'veth', 'peer', 'name', 'spare1']);
  await bed.run(['nft', '-f', '-'], {
    input: 'table netdev n {\n chain c {\n type filter hook ingress device spare0 priority 0\n }\n}\n',
  });
  const { stdout: links } = await bed.run(['ip', '-json', 'link', 'show', 'dev', 'spare1']);
  const [spare1] = JSON.parse(links) as readonly [{ readonly ifindex: number }];
  const attacher = await bed.start([process.execPath, XDP_ATTACHER, `${spare1.ifindex}`]);
  await attacher.waitForLine(/^attached$/, SOON_MILLISECONDS);
  await bed.run(['cp', '/bin/sleep', `${bed.directory}/fail2ban-server`]);
  await bed.start([`${bed.directory}/fail2ban-server`, '600']);
  const squatter = await bed.start([
    process.execPath,
    '-e',
    `process.title = 'squatter';
     require('node:dgram').createSocket('udp4').bind(5514, '127.0.0.1', () => console.log('taken'));`,
  ]);
  await squatter.waitForLine(/taken/, SOON_MILLISECONDS);
  const daemon = await startDaemon(bed, { configuration: LISTENING });
  const sick = await examine(bed, daemon);
  assert.equal(sick.status, 1);
  const bypasses = sick.of('bypass').map(({ text }) => text);
  assert.match(bypasses.join('\n'), /^netdev n c sees packets before the chain that bans/m);
  assert.match(bypasses.join('\n'), /^spare1 has an XDP program/m);
  const neighbours = sick.of('neighbours').map(({ verdict, text }) => `${verdict}: ${text}`);
  assert.match(neighbours.join('\n'), /^warning: fail2ban-server runs as process \d+/m);
  assert.match(neighbours.join('\n'), /^error: udp 127\.0\.0\.1:5514 is held by squatter \(process \d+\)/m);
  assert.match(sick.of('daemon')[0]?.text ?? '', /^cannot listen on udp 127\.0\.0\.1:5514/);
  await daemon.kill9();
  const gone = await examine(bed, daemon);
  assert.equal(gone.status, 1);
  assert.deepEqual(
    gone.of('daemon').map(({ verdict, action }) => `${verdict} ${action}`),
    ['error systemctl start bailiff'],
  );
});
