/**
 * What a Prometheus is to see: failures by the journal, UDP and TCP over both address families, from senders with and
 * without a name; a peer that is refused, one that speaks no TLS, one that sends too much and falls silent; lines that
 * no rule knows; knocking at closed doors; and another program's tricks with the rule set.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ATTACKERS_IPV4, ATTACKERS_IPV6, type Bed, DEVICES_IPV4, HOST } from '../bed/namespace.ts';
import { tryConnect } from '../bed/reachability.ts';
import { bailiff, type Daemon } from '../bed/services/daemon.ts';
import { Journald } from '../bed/services/journald.ts';
import { waitFor } from '../bed/waiting.ts';
import {
  failedLogin,
  failLogins,
  type Scene,
  SOON_MILLISECONDS,
  sshdEntry,
  startDaemon,
  sumOf,
  waitForBan,
} from './scene.ts';

/** Put into the kernel's set by somebody else; the daemon adopts them. */
export const STRANGERS = ['203.0.113.1', '203.0.113.2'];

/** The sender that says too much, an hour late, and then nothing: how many messages, and how many it may. */
const STORM = { messages: 20, burst: 5, clockSkewHours: -1 };

/** Records of which some are timed for certain; the matcher times one in 256. */
const FLOOD_RECORDS = 1_000;

/** silent_after has a minute as its least. */
const SILENCE_MILLISECONDS = 90_000;
const SILENCE = /sender nas1: has been silent for /;

const [ROUTER = '', NAS = ''] = DEVICES_IPV4;
const SYSLOG_PORT = 5514;
const TLS_PORT = 6514;

function configuration(tlsDirectory: string): string {
  const hosts = [HOST.deviceIpv4, HOST.ipv4, '127.0.0.1'];
  const listeners = JSON.stringify(hosts.map((host) => `${host}:${SYSLOG_PORT}`));
  return `
[syslog]
udp = ${listeners}
tcp = ${listeners}
tls = ["${HOST.deviceIpv4}:${TLS_PORT}"]
[syslog.tls_server]
certificate = "${tlsDirectory}/server.crt"
key = "${tlsDirectory}/server.key"
client_ca = "${tlsDirectory}/ca.crt"
[[sender]]
name = "router"
addresses = ["${ROUTER}"]
[[sender]]
name = "nas1"
addresses = ["${NAS}"]
silent_after = "1m"
max_messages_per_second = 1
burst_messages = ${STORM.burst}
[jail.sshd]
max_retry = 3
find_time = "10m"
ban_time = "10m"
`;
}

/** A daemon that listens to syslog over all transports, with a journald. */
export async function openAttackedScene(bed: Bed): Promise<Scene> {
  const journald = await Journald.start(bed);
  const tlsDirectory = join(bed.directory, 'tls');
  const made = await bailiff(bed, 'tls', 'init', '--directory', tlsDirectory, '--name', 'localhost');
  assert.equal(made.status, 0, made.stderr);
  const daemon = await startDaemon(bed, { configuration: configuration(tlsDirectory) });
  return { bed, journald, daemon };
}

/** Resolves when the daemon has counted all of it. */
export async function attack(scene: Scene): Promise<void> {
  const { bed, daemon } = scene;
  await sendFromStrangePeers(bed);
  await sendTooMuch(bed);
  await failEverywhere(scene);
  await knock(bed, daemon);
  await bed.run(['nft', 'delete', 'table', 'inet', 'bailiff']);
  await counted(daemon, { bailiff_firewall_table_losses_total: {} });
  await counted(daemon, { bailiff_near_misses_total: {}, bailiff_filter_seconds_total: {} });
  await counted(daemon, { bailiff_handshake_failures_total: { reason: 'not-tls' } });
  await counted(daemon, { bailiff_sender_limited_messages_total: { sender: 'nas1' } });
  await daemon.waitForLine(SILENCE, SILENCE_MILLISECONDS);
}

async function sendFromStrangePeers(bed: Bed): Promise<void> {
  const words = ['--server', HOST.ipv4, '--port', `${SYSLOG_PORT}`, '--udp', '--tag', 'sshd'];
  await bed.run(['logger', ...words, failedLogin('203.0.113.99')], { at: 'attacker' });
  const plain = ['--server', HOST.deviceIpv4, '--port', `${TLS_PORT}`, '--tcp', '--tag', 'sshd'];
  await bed.run(['logger', ...plain, failedLogin('203.0.113.99')], { at: 'attacker' });
}

async function sendTooMuch(bed: Bed): Promise<void> {
  const at = new Date(Date.now() + STORM.clockSkewHours * 3_600_000).toISOString();
  const message = `<86>1 ${at} nas1 backup 1 - - done`;
  // One with nothing in it.
  const messages = ['', ...Array.from({ length: STORM.messages }, () => message)];
  const words = [NAS, HOST.deviceIpv4, `${SYSLOG_PORT}`];
  await bed.run([process.execPath, '-e', SEND, ...words], {
    at: 'attacker',
    input: JSON.stringify(messages),
  });
}

const SEND = `
const [from, to, port] = process.argv.slice(1);
const messages = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const socket = require('node:dgram').createSocket('udp4').bind(0, from);
let sent = 0;
for (const message of messages)
  socket.send(message, Number(port), to, () => { if (++sent === messages.length) socket.close(); });`;

async function failEverywhere({ bed, journald, daemon }: Scene): Promise<void> {
  const [overUdp = '', overTcp = '', ...others] = [...ATTACKERS_IPV4, ...ATTACKERS_IPV6];
  await failLogins(journald, '127.0.0.1', 1);
  await journald.write(sshdEntry('Failed password for root from nowhere at all'));
  for (const address of others) await failLogins(journald, address, 3);
  const toRouter = ['--server', HOST.deviceIpv4, '--port', `${SYSLOG_PORT}`, '--tag', 'sshd'];
  for (const [form, address] of [
    ['--udp', overUdp],
    ['--tcp', overTcp],
  ] as const) {
    for (let time = 0; time < 3; time++)
      await bed.run(['logger', ...toRouter, form, failedLogin(address)], { at: 'attacker' });
  }
  // Lines that a rule reads: of others no record is made, and no filter's time is taken.
  const input = 'Accepted password for alice from 198.51.100.200 port 40022 ssh2\n'.repeat(FLOOD_RECORDS);
  await bed.run(['logger', ...toRouter, '--tcp'], { at: 'attacker', input });
  await waitForBan(daemon, overUdp);
  await waitForBan(daemon, overTcp);
}

/** The kernel's counters are read when the sets are looked through: at once when somebody has touched them. */
async function knock(bed: Bed, daemon: Daemon): Promise<void> {
  const [from = ''] = ATTACKERS_IPV4;
  for (const stranger of STRANGERS) {
    const before = await droppedPackets(daemon);
    await tryConnect(bed, { from, to: HOST.ipv4, port: 22, timeoutMilliseconds: 100 });
    await bed.run(['nft', `add element inet bailiff ban4 { ${stranger} timeout 10m }`]);
    await waitFor('dropped packets', SOON_MILLISECONDS, async () =>
      (await droppedPackets(daemon)) > before ? true : null,
    );
  }
}

async function droppedPackets(daemon: Daemon): Promise<number> {
  return sumOf(await daemon.metrics(), 'bailiff_dropped_packets_total', {});
}

/** Resolves when every one of these metrics, with these labels, is above zero. */
async function counted(
  daemon: Daemon,
  wanted: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<void> {
  await waitFor(Object.keys(wanted).join(' and '), SOON_MILLISECONDS, async () => {
    const metrics = await daemon.metrics();
    const isThere = ([name, labels]: [string, Readonly<Record<string, string>>]) =>
      (metrics.get(name) ?? sumOf(metrics, name, labels)) > 0;
    return Object.entries(wanted).every(isThere) ? true : null;
  });
}
