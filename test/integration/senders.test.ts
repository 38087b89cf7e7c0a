/** Senders with names: adopted, forgotten, held to rate, confidence and jails; and protected. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SenderReport, SendersReport } from '../../src/senders/report.ts';
import { DEVICES_IPV4, HOST } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { waitFor } from '../bed/waiting.ts';
import {
  failedLogin,
  jailOf,
  keysOf,
  openScene,
  type Scene,
  SOON_MILLISECONDS,
  sceneMissing,
  waitForBan,
} from './scene.ts';

const PORT = 5514;

const listeners = JSON.stringify([`127.0.0.1:${PORT}`, `${HOST.ipv4}:${PORT}`, `${HOST.deviceIpv4}:${PORT}`]);

const CONFIGURATION = `
[syslog]
udp = ${listeners}
tcp = ${listeners}
udp_confidence = "low"
[jail.sshd]
max_retry = 3
[jail.other]
filters = ["sshd"]
max_retry = 3
[[sender]]
name = "slow"
addresses = ${JSON.stringify(DEVICES_IPV4)}
max_messages_per_second = 1
burst_messages = 5
[[sender]]
name = "here"
addresses = ["127.0.0.1"]
silent_after = "5s"
[[sender]]
name = "nas"
addresses = ["203.0.113.200"]
`;

describe('senders', { skip: sceneMissing || (requirements('logger') ?? false) }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene({ configuration: CONFIGURATION });
  });
  after(() => scene?.bed.close());

  async function log(host: string, protocol: 'udp' | 'tcp', message: string, at: 'bed' | 'attacker' = 'bed') {
    const words = ['--server', host, '--port', `${PORT}`, `--${protocol}`, '--rfc5424', '--tag', 'sshd'];
    await scene.bed.run(['logger', ...words, message], { at });
  }

  async function report(): Promise<SendersReport> {
    const { status, body } = await scene.daemon.api('/v1/senders');
    assert.equal(status, 200);
    return body as SendersReport;
  }

  function senderSuch(what: string, isWanted: (sender: SenderReport) => boolean): Promise<SenderReport> {
    return waitFor(what, SOON_MILLISECONDS, async () => (await report()).senders.find(isWanted) ?? null);
  }

  test('a failure over UDP bans nobody alone; the next failure that comes over TCP does', async () => {
    const { bed, daemon } = scene;
    for (let count = 0; count < 8; count++) await log('127.0.0.1', 'udp', failedLogin('203.0.113.5'));
    await waitFor('eight failures', SOON_MILLISECONDS, async () =>
      (await jailOf(daemon)).totalFailures === 8 ? true : null,
    );
    assert.deepEqual(await keysOf(bed, 'ban4'), []);
    await log('127.0.0.1', 'tcp', failedLogin('203.0.113.5'));
    await waitForBan(daemon, '203.0.113.5');
  });

  test('nobody can have a configured sender banned', async () => {
    const { bed, daemon } = scene;
    for (let count = 0; count < 4; count++) await log('127.0.0.1', 'tcp', failedLogin('203.0.113.200'));
    await daemon.waitForLine(/ignored a failure of 203\.0\.113\.200 in sshd/, SOON_MILLISECONDS);
    assert.ok(!(await keysOf(bed, 'ban4')).includes('203.0.113.200'));
  });

  test('what is sent over which transport and in which dialect is listed', async () => {
    const sender = await senderSuch('both transports', ({ transports }) => transports.length === 2);
    assert.deepEqual([sender.name, sender.sender, sender.state], ['here', '127.0.0.1', 'usual']);
    assert.deepEqual(
      sender.dialects.map(({ dialect }) => dialect),
      ['rfc5424'],
    );
    assert.ok(Math.abs(sender.clockSkewSeconds ?? 99) < 2);
    const { stdout, status } = await scene.daemon.command('senders');
    assert.equal(status, 0);
    assert.match(stdout, /^here +127\.0\.0\.1 +udp tcp +rfc5424 +13 /m);
  });

  test('messages beyond the rate of a sender are dropped, counted and told', async () => {
    const { bed, daemon } = scene;
    const words = ['--server', HOST.deviceIpv4, '--port', `${PORT}`, '--tcp', '--rfc5424', '--tag', 'x'];
    const input = Array.from({ length: 200 }, (_, number) => `message ${number}\n`).join('');
    await bed.run(['logger', ...words], { at: 'attacker', input });
    await daemon.waitForLine(/limit sender-rate was hit \d+ times: tcp messages of slow/, SOON_MILLISECONDS);
    const slow = await senderSuch('all messages', ({ records, limited }) => records + limited === 200);
    assert.equal(slow.name, 'slow');
    assert.ok(slow.records >= 5 && slow.records < 200, `${slow.records}, or nothing was limited`);
    const metrics = await daemon.metrics();
    assert.equal(metrics.get('bailiff_sender_limited_messages_total{sender="slow"}'), slow.limited);
    assert.equal(metrics.get('bailiff_sender_records_total{sender="slow"}'), slow.records);
  });

  test('a sender that says nothing for longer than it may is missed, and welcomed back', async () => {
    const { daemon } = scene;
    const silent = async () => (await daemon.metrics()).get('bailiff_sender_silent{sender="here"}');
    await log('127.0.0.1', 'udp', 'the last word');
    await daemon.waitForLine(/sender here: has been silent for \d+s$/, SOON_MILLISECONDS);
    assert.equal(await silent(), 1);
    assert.match((await daemon.command('senders')).stdout, /^here +.* silent$/m);
    await log('127.0.0.1', 'udp', 'another one');
    await daemon.waitForLine(/sender here: is heard again after \d+s$/, SOON_MILLISECONDS);
    assert.equal(await silent(), 0);
  });

  test('a stranger is refused, adopted by its address, heard over the same listener, and forgotten', async () => {
    const { bed, daemon } = scene;
    await log(HOST.ipv4, 'udp', 'knock', 'attacker');
    const peer = await waitFor(
      'the refusal',
      SOON_MILLISECONDS,
      async () => (await report()).refused[0] ?? null,
    );
    assert.equal(peer.reason, 'unknown-sender');
    const adopted = await daemon.command(
      'senders',
      'adopt',
      peer.address,
      '--name',
      'gate',
      '--jail',
      'other',
    );
    assert.equal(adopted.status, 0, adopted.stderr);
    assert.match(adopted.stdout, /reloaded/);
    assert.deepEqual((await report()).refused, []);
    const before = (await jailOf(daemon)).totalFailures;
    for (let count = 0; count < 3; count++)
      await log(HOST.ipv4, 'tcp', failedLogin('203.0.113.77'), 'attacker');
    await waitForBan(daemon, '203.0.113.77');
    assert.equal((await jailOf(daemon)).totalFailures, before, 'it may feed the other jail alone');
    const sender = await senderSuch('gate', ({ name, records }) => name === 'gate' && records === 3);
    assert.equal(sender.sender, peer.address);
    const metrics = await daemon.metrics();
    assert.equal(metrics.get('bailiff_sender_records_total{sender="gate"}'), 3);
    assert.equal(metrics.get('bailiff_sender_silent{sender="gate"}'), 0);
    const forgotten = await daemon.command('senders', 'forget', 'gate');
    assert.equal(forgotten.status, 0, forgotten.stderr);
    await log(HOST.ipv4, 'udp', 'knock', 'attacker');
    await waitFor('another refusal', SOON_MILLISECONDS, async () =>
      (await report()).refused.some(({ address }) => address === peer.address) ? true : null,
    );
    assert.ok(!(await report()).senders.some(({ name }) => name === 'gate'));
    assert.deepEqual((await keysOf(bed, 'ban4')).includes('203.0.113.77'), true, 'its bans stay');
  });
});
