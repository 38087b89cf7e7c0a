/** A real OpenSSH server, attackers who guess passwords across a wire, and an honest user among them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ElementWatch, readElements, waitForElement, waitForNoElement } from '../bed/kernel.ts';
import { ATTACKERS_IPV4, ATTACKERS_IPV6, type Bed, HOST, NEIGHBOUR_IPV6 } from '../bed/namespace.ts';
import type { BedProcess } from '../bed/process.ts';
import { tryConnect } from '../bed/reachability.ts';
import { requirements } from '../bed/requirements.ts';
import { HONEST_PASSWORD, HONEST_USER, Sshd } from '../bed/services/sshd.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../bed/waiting.ts';
import { CONFIGURATION, jailOf, openScene, type Scene, SOON_MILLISECONDS, sceneMissing } from './scene.ts';

const [attacker = '', honest = '', shortBanned = '', innocent = ''] = ATTACKERS_IPV4;
const [attackerIpv6 = '', honestIpv6 = ''] = ATTACKERS_IPV6;
const ECHO_PORT = 7777;
const LOGIN_TIMEOUT_MILLISECONDS = PATIENCE_MILLISECONDS;

const ECHO = `
require('node:net').createServer((socket) => socket.on('error', () => {}).pipe(socket))
  .listen(${ECHO_PORT}, '::', () => console.log('listening'));`;

/** Sends each line of its input, and prints each line that comes back. */
const SAY = `
const [localAddress, host] = process.argv.slice(1);
const socket = require('node:net').connect({ localAddress, host, port: ${ECHO_PORT} });
socket.on('connect', () => console.log('connected'));
socket.pipe(process.stdout);
process.stdin.pipe(socket);`;

describe('a real sshd', { skip: sceneMissing || (requirements('sshd') ?? false) }, () => {
  let scene: Scene;
  let sshd: Sshd;
  before(async () => {
    scene = await openScene();
    sshd = await Sshd.start(scene.bed);
    const echo = await scene.bed.start([process.execPath, '-e', ECHO]);
    await echo.waitForLine(/listening/, SOON_MILLISECONDS);
  });
  after(() => scene?.bed.close());

  test('that refuses an attacker has them cut off, also on a connection that was open, and nobody else', async () => {
    const { bed } = scene;
    const open = await openConnection(bed, attacker);
    const neighbour = await openConnection(bed, honest);
    const { last } = await guessUntilBanned(sshd, bed, attacker, HOST.ipv4, { set: 'ban4', key: attacker });

    assert.equal(await tryConnect(bed, { from: attacker, to: HOST.ipv4, port: 22 }), 'dropped');
    assert.equal(await tryConnect(bed, { from: honest, to: HOST.ipv4, port: 22 }), 'open');
    const before = await droppedPackets(bed, attacker);
    open.write('still there?\n');
    await waitFor('a packet of the open connection to be dropped', SOON_MILLISECONDS, async () =>
      (await droppedPackets(bed, attacker)) > before ? true : null,
    );
    neighbour.write('and I?\n');
    await neighbour.waitForLine(/and I\?/, SOON_MILLISECONDS);
    assert.doesNotMatch(open.output, /still there/);

    const login = { from: honest, to: HOST.ipv4, user: HONEST_USER, password: HONEST_PASSWORD };
    assert.equal(await sshd.login(login), 'accepted');
    const jail = await jailOf(scene.daemon);
    assert.deepEqual([jail.currentBans, jail.totalBans], [1, 1]);
    assert.equal(jail.totalFailures, 3, 'three attempts, however many lines each took');
    await last;
  });

  test('over IPv6 has the /64 of the attacker cut off, and not the one beside it', async () => {
    const { bed } = scene;
    const to = HOST.ipv6;
    const element = { set: 'ban6_64', key: '2001:db8:77:1::' };
    const { last } = await guessUntilBanned(sshd, bed, attackerIpv6, to, element);
    assert.equal(await tryConnect(bed, { from: attackerIpv6, to, port: 22 }), 'dropped');
    assert.equal(await tryConnect(bed, { from: NEIGHBOUR_IPV6, to, port: 22 }), 'dropped');
    assert.equal(await tryConnect(bed, { from: honestIpv6, to, port: 22 }), 'open');
    await last;
  });

  test('has one wrong password of an honest user count once, and forgives it', async () => {
    const { daemon } = scene;
    const { totalFailures, totalBans } = await jailOf(daemon);
    const login = { from: innocent, to: HOST.ipv4, user: HONEST_USER, password: 'a slip' };
    assert.equal(await sshd.login(login), 'denied');
    assert.equal(await sshd.login({ ...login, password: HONEST_PASSWORD }), 'accepted');
    await daemon.waitForLine(new RegExp(`failure 1/3 of ${innocent} in sshd`), SOON_MILLISECONDS);
    const jail = await jailOf(daemon);
    assert.deepEqual([jail.totalFailures, jail.totalBans], [totalFailures + 1, totalBans]);
  });

  test('is there again for the attacker when the ban has timed out', async () => {
    const { bed, daemon } = scene;
    daemon.configure(CONFIGURATION.replace('ban_time = "10m"', 'ban_time = "2s"'));
    assert.equal((await daemon.command('reload')).status, 0);
    const watch = await ElementWatch.start(bed);
    const added = watch.added('ban4', shortBanned, LOGIN_TIMEOUT_MILLISECONDS);
    await sshd.attack(shortBanned, HOST.ipv4, ['admin', 'oracle', 'test']);
    await added;
    await waitForNoElement(bed, 'ban4', shortBanned, SOON_MILLISECONDS);
    assert.equal(await tryConnect(bed, { from: shortBanned, to: HOST.ipv4, port: 22 }), 'open');
    await daemon.waitForLine(new RegExp(`unbanned ${shortBanned} in sshd`), SOON_MILLISECONDS);
    assert.equal((await jailOf(daemon)).bans.filter((ban) => ban.offender === shortBanned).length, 0);
    watch.close();
  });
});

/**
 * Guesses three passwords, and resolves when the kernel holds the element: to the end of the last guess. The ban may
 * well be there before the answer of sshd is on its way, and the client then waits for it in vain.
 */
async function guessUntilBanned(
  sshd: Sshd,
  bed: Bed,
  from: string,
  to: string,
  element: { readonly set: string; readonly key: string },
): Promise<{ readonly last: Promise<void> }> {
  assert.deepEqual(await sshd.attack(from, to, ['admin', 'oracle']), ['denied', 'denied']);
  const last = sshd
    .attack(from, to, ['test'])
    .then((outcomes) => assert.notDeepEqual(outcomes, ['accepted']));
  last.catch(() => {});
  await waitForElement(bed, element.set, element.key, LOGIN_TIMEOUT_MILLISECONDS);
  return { last };
}

async function openConnection(bed: Bed, from: string): Promise<BedProcess> {
  const connection = await bed.start([process.execPath, '-e', SAY, from, HOST.ipv4], { at: 'attacker' });
  await connection.waitForLine(/connected/, SOON_MILLISECONDS);
  return connection;
}

async function droppedPackets(bed: Bed, key: string): Promise<number> {
  return (await readElements(bed, 'ban4'))?.find((element) => element.key === key)?.packets ?? 0;
}
