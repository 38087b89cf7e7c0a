/**
 * `npm run demo`: the real daemon, journald, kernel and senders of syslog in a network that exists for some seconds,
 * with attackers at the other end of a wire. Fails when anything does not happen.
 */
import { VERSION } from '../../src/core/version.ts';
import { ElementWatch, waitForNoElement } from '../bed/kernel.ts';
import { ATTACKERS_IPV4, ATTACKERS_IPV6, type Bed, DEVICES_IPV4, HOST, openBed } from '../bed/namespace.ts';
import { type Reachability, tryConnect } from '../bed/reachability.ts';
import { requirements } from '../bed/requirements.ts';
import { Daemon } from '../bed/services/daemon.ts';
import { Journald } from '../bed/services/journald.ts';
import { Timeline } from './timeline.ts';

const [first = '', neighbour = '', second = ''] = ATTACKERS_IPV4;
const [third = '', neighbourIpv6 = ''] = ATTACKERS_IPV6;
const [router = ''] = DEVICES_IPV4;

const PATIENCE_MILLISECONDS = 10_000;
const USERS = ['root', 'admin', 'oracle'];
const SYSLOG_PORT = 5514;
const BAN_SECONDS = 6;

const CONFIGURATION = `
[syslog]
udp = ["${HOST.deviceIpv4}:${SYSLOG_PORT}"]
tcp = ["${HOST.deviceIpv4}:${SYSLOG_PORT}"]

[jail.sshd]
max_retry = ${USERS.length}
ban_time = "${BAN_SECONDS}s"
`;

/** Something that answers on port 22; who gets through to it is what this is about. */
const SERVICE = `
require('node:net').createServer((socket) => socket.on('error', () => {}).end())
  .listen(22, '::', () => console.log('listening'));`;

type Stage = {
  readonly bed: Bed;
  readonly daemon: Daemon;
  readonly journald: Journald;
  readonly watch: ElementWatch;
  readonly timeline: Timeline;
};

/** Writes one log line and resolves to when that was, in nanoseconds of process.hrtime.bigint(). */
type WriteLine = (line: string) => Promise<bigint>;

async function main(): Promise<void> {
  const missing = requirements('namespaces', 'journald', 'nft', 'logger');
  if (missing !== null) throw new Error(missing);
  const colour = process.stdout.isTTY === true && !process.env.NO_COLOR;
  const timeline = new Timeline((text) => process.stdout.write(text), colour);
  timeline.heading('A host with bailiff, a router, three attackers and two neighbours');
  const bed = await openBed();
  try {
    await play(await setUp(bed, timeline));
  } finally {
    await bed.close();
  }
  timeline.row('', 'the network and everything in it is gone again');
}

async function setUp(bed: Bed, timeline: Timeline): Promise<Stage> {
  const journald = await Journald.start(bed);
  const service = await bed.start([process.execPath, '-e', SERVICE]);
  await service.waitForLine(/listening/, PATIENCE_MILLISECONDS);
  const daemon = await Daemon.start(bed, { configuration: CONFIGURATION });
  await daemon.waitForLine(/^\S+ ready$/, PATIENCE_MILLISECONDS);
  const watch = await ElementWatch.start(bed);
  timeline.row('host', `bailiff ${VERSION} reads the journal and bans in nftables`);
  timeline.row('host', `listens to syslog on ${HOST.deviceIpv4}:${SYSLOG_PORT}, UDP and TCP`);
  timeline.row('host', `jail sshd: ${USERS.length} failures lead to a ban of ${BAN_SECONDS} seconds`);
  return { bed, daemon, journald, watch, timeline };
}

async function play(stage: Stage): Promise<void> {
  const { bed, daemon, journald, timeline } = stage;
  await connect(stage, 'attacker', first, 'open');
  await connect(stage, 'neighbour', neighbour, 'open');

  timeline.heading('sshd writes to the journal of the host');
  const intoJournal: WriteLine = (line) => journald.write({ SYSLOG_IDENTIFIER: 'sshd', MESSAGE: line });
  await attack(stage, { reporter: 'sshd', address: first, write: intoJournal, set: 'ban4', banned: first });
  await connect(stage, 'attacker', first, 'dropped');
  await connect(stage, 'neighbour', neighbour, 'open');

  timeline.heading(`A router, ${router}, sends syslog over UDP (logger, RFC 3164)`);
  const overUdp = await openSender(bed, '--udp', '--rfc3164');
  await attack(stage, { reporter: 'router', address: second, write: overUdp, set: 'ban4', banned: second });
  await connect(stage, 'attacker', second, 'dropped');

  timeline.heading('And over TCP (logger, RFC 5424), about an attacker with IPv6');
  const overTcp = await openSender(bed, '--tcp', '--rfc5424');
  const banned = '2001:db8:77:1::/64';
  await attack(stage, { reporter: 'router', address: third, write: overTcp, set: 'ban6_64', banned });
  await connect(stage, 'attacker', third, 'dropped');
  await connect(stage, 'neighbour', neighbourIpv6, 'open');

  timeline.quote('bailiff status sshd', (await daemon.command('status', 'sshd')).stdout);

  timeline.heading('The bans time out in the kernel');
  await waitForNoElement(bed, 'ban4', first, PATIENCE_MILLISECONDS);
  timeline.row('kernel', `${first} is no longer in ban4`);
  await connect(stage, 'attacker', first, 'open');
}

type Attack = {
  /** Who tells of it. */
  readonly reporter: string;
  readonly address: string;
  readonly write: WriteLine;
  /** Where the kernel is expected to have whom. */
  readonly set: string;
  readonly banned: string;
};

/** Logs a refused login of each user, and follows the last line to the kernel. */
async function attack({ daemon, watch, timeline }: Stage, attack: Attack): Promise<void> {
  const { reporter, address, write, set, banned } = attack;
  let writtenAt = 0n;
  for (const [index, user] of USERS.entries()) {
    writtenAt = await write(`Failed password for ${user} from ${address} port ${40_022 + index} ssh2`);
    timeline.row(reporter, `Failed password for ${user} from ${address}`);
    await waitForWord(daemon, `failure ${index + 1}/${USERS.length} of ${address} `);
  }
  const addedAt = await watch.added(set, banned.replace('/64', ''), PATIENCE_MILLISECONDS);
  const milliseconds = Number(addedAt - writtenAt) / 1e6;
  timeline.row('kernel', `${banned} is in ${set}`, `${milliseconds.toFixed(1)} ms after the line`, 'good');
  timeline.row('bailiff', await waitForWord(daemon, `banned ${banned} `));
}

/** Resolves to the first line of the daemon's log that begins so, without its time. */
async function waitForWord(daemon: Daemon, beginning: string): Promise<string> {
  const line = await daemon.waitForLine(new RegExp(`^\\S+ ${literally(beginning)}`), PATIENCE_MILLISECONDS);
  return line.replace(/^\S+ /, '');
}

/** A real logger(1) on the router, which sends each line of its input as a message. */
async function openSender(bed: Bed, ...form: readonly string[]): Promise<WriteLine> {
  const server = ['--server', HOST.deviceIpv4, '--port', `${SYSLOG_PORT}`];
  const logger = await bed.start(['logger', ...server, ...form, '--tag', 'sshd'], { at: 'attacker' });
  return async (line) => {
    const writtenAt = process.hrtime.bigint();
    logger.write(`${line}\n`);
    return writtenAt;
  };
}

/** A real TCP connection across the wire; fails unless it goes as it must. */
async function connect(
  { bed, timeline }: Stage,
  actor: string,
  from: string,
  expected: Reachability,
): Promise<void> {
  const to = from.includes(':') ? HOST.ipv6 : HOST.ipv4;
  const outcome = await tryConnect(bed, { from, to, port: 22, timeoutMilliseconds: 400 });
  const isThrough = outcome === 'open';
  const word = isThrough ? 'gets through' : outcome === 'dropped' ? 'no answer' : outcome;
  timeline.row(actor, `${from} connects to port 22`, word, isThrough ? 'good' : 'bad');
  if (outcome !== expected) throw new Error(`port 22 was ${outcome} for ${from}, and should be ${expected}`);
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

try {
  await main();
} catch (error) {
  process.stderr.write(`\nthe demo failed: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
