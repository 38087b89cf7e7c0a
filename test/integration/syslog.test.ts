/** Real senders of syslog: util-linux's logger, from this host and from devices across the wire. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DEVICES_IPV4, HOST } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { waitFor } from '../bed/waiting.ts';
import {
  bansOf,
  failedLogin,
  jailOf,
  keysOf,
  openScene,
  type Scene,
  SOON_MILLISECONDS,
  sceneMissing,
  sumOf,
  waitForBan,
} from './scene.ts';

const PORT = 5514;

/** Where the daemon listens, and from which end of the wire it is sent there. */
const ENDPOINTS = [
  { host: '127.0.0.1', at: 'bed' },
  { host: '::1', at: 'bed' },
  { host: HOST.deviceIpv4, at: 'attacker' },
  { host: HOST.deviceIpv6, at: 'attacker' },
] as const;

const FORMS = [
  ['--udp', '--rfc3164'],
  ['--udp', '--rfc5424'],
  ['--udp', '--rfc5424=notime,notq,nohost'],
  ['--tcp', '--rfc3164'],
  ['--tcp', '--rfc5424'],
  ['--tcp', '--rfc3164', '--octet-count'],
  ['--tcp', '--rfc5424', '--octet-count'],
] as const;

/** Whoever is in no private network; which of their addresses the kernel sends from is its choice. */
const STRANGERS = [
  { host: HOST.ipv4, stranger: '198\\.18\\.0\\.1' },
  { host: HOST.ipv6, stranger: '2001:db8:77:' },
] as const;

const listeners = JSON.stringify(
  [...ENDPOINTS, ...STRANGERS].map(({ host }) =>
    host.includes(':') ? `[${host}]:${PORT}` : `${host}:${PORT}`,
  ),
);

const CONFIGURATION = `
[syslog]
udp = ${listeners}
tcp = ${listeners}
[jail.sshd]
max_retry = 1
`;

describe('syslog', { skip: sceneMissing || (requirements('logger') ?? false) }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene({ configuration: CONFIGURATION });
  });
  after(() => scene?.bed.close());

  function log(host: string, at: 'bed' | 'attacker', words: readonly string[], message: string) {
    const server = ['--server', host, '--port', `${PORT}`];
    return scene.bed.run(['logger', ...server, ...words, '--id=4711', '--tag', 'sshd', message], { at });
  }

  test('is understood in every form that logger has, over both families, from here and from a device', async () => {
    const { bed, daemon } = scene;
    const expected: string[] = [];
    for (const [row, { host, at }] of ENDPOINTS.entries()) {
      for (const [column, form] of FORMS.entries()) {
        const address = `203.0.113.${100 + row * FORMS.length + column}`;
        expected.push(address);
        await log(host, at, form, failedLogin(address));
      }
    }
    await waitFor('a ban by every message', SOON_MILLISECONDS, async () =>
      (await keysOf(bed, 'ban4')).length >= expected.length ? true : null,
    ).catch(() => {});
    assert.deepEqual(await keysOf(bed, 'ban4'), expected.toSorted());
    assert.equal((await jailOf(daemon)).totalFailures, expected.length);
    const metrics = await daemon.metrics();
    const perListener = ENDPOINTS.length;
    assert.equal(metrics.get('bailiff_records_total{source="udp"}'), 3 * perListener);
    assert.equal(metrics.get('bailiff_records_total{source="tcp"}'), 4 * perListener);
  });

  test('of several lines on one connection is read line by line', async () => {
    const { bed, daemon } = scene;
    const addresses = ['198.51.100.1', '198.51.100.2', '198.51.100.3'];
    const server = ['--server', HOST.deviceIpv4, '--port', `${PORT}`, '--tcp', '--rfc5424'];
    const input = addresses.map((address) => `${failedLogin(address)}\n`).join('');
    await bed.run(['logger', ...server, '--tag', 'sshd'], { at: 'attacker', input });
    for (const address of addresses) await waitForBan(daemon, address);
  });

  for (const protocol of ['udp', 'tcp'] as const) {
    for (const { host, stranger } of STRANGERS) {
      test(`of a sender outside the configured networks is counted and dropped: ${protocol} to ${host}`, async () => {
        const { daemon } = scene;
        const rejected = async () =>
          sumOf(await daemon.metrics(), 'bailiff_records_rejected_total', {
            source: protocol,
            reason: 'unknown-sender',
          });
        const before = await rejected();
        const { totalFailures } = await jailOf(daemon);
        // Over TCP the connection is closed in its face, which logger may or may not notice.
        await log(host, 'attacker', [`--${protocol}`], failedLogin('192.0.2.66')).catch(() => {});
        await waitFor('the rejection to be counted', SOON_MILLISECONDS, async () =>
          (await rejected()) > before ? true : null,
        );
        const line = new RegExp(`from ${stranger}\\S* \\(${protocol}\\): unknown-sender`);
        await daemon.waitForLine(line, SOON_MILLISECONDS);
        assert.equal((await jailOf(daemon)).totalFailures, totalFailures);
        assert.ok(!(await bansOf(daemon)).some(({ offender }) => offender === '192.0.2.66'));
      });
    }
  }

  test('with another name than sshd bans nobody', async () => {
    const { bed, daemon } = scene;
    const { totalFailures } = await jailOf(daemon);
    const server = ['--server', HOST.deviceIpv4, '--port', `${PORT}`, '--udp'];
    const send = (tag: string, address: string) =>
      bed.run(['logger', ...server, '--tag', tag, failedLogin(address)], { at: 'attacker' });
    await send('shop', '192.0.2.67');
    await send('sshd', '192.0.2.68');
    await waitForBan(daemon, '192.0.2.68');
    assert.equal((await jailOf(daemon)).totalFailures, totalFailures + 1);
  });

  test('does not make the device itself an offender', async () => {
    const banned = (await bansOf(scene.daemon)).map(({ offender }) => offender);
    for (const device of [...DEVICES_IPV4, '127.0.0.1']) assert.ok(!banned.includes(device), device);
  });
});
