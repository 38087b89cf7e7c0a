/**
 * Real clients of syslog, each from its package: daemons that pass on what a server logs, in every transport and
 * framing that they have, down to the element in the kernel.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Requirement, requirements } from '../../bed/requirements.ts';
import { type Forwarder, startBusybox, startRsyslog, startSyslogNg } from '../../bed/services/forwarders.ts';
import { failedLogin, keysOf, openScene, type Scene, sceneMissing, sumOf, waitForBan } from '../scene.ts';

const PORT = 5514;

const CONFIGURATION = `
[syslog]
udp = ["127.0.0.1:${PORT}", "[::1]:${PORT}"]
tcp = ["127.0.0.1:${PORT}", "[::1]:${PORT}"]
[jail.sshd]
max_retry = 1
`;

type Client = {
  readonly name: string;
  readonly needs: Requirement;
  readonly source: 'udp' | 'tcp';
  start(scene: Scene): Promise<Forwarder>;
};

const CLIENTS: readonly Client[] = [
  rsyslog('udp', 'protocol="udp"'),
  rsyslog('udp', 'protocol="udp" template="RSYSLOG_SyslogProtocol23Format"'),
  rsyslog('tcp', 'protocol="tcp"'),
  rsyslog('tcp', 'protocol="tcp" template="RSYSLOG_ForwardFormat" TCP_Framing="octet-counted"'),
  rsyslog('tcp', 'protocol="tcp" template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted"'),
  rsyslog('tcp', 'protocol="tcp" compression.mode="none" TCP_Framing="traditional"', '::1'),
  syslogNg('udp', `network("127.0.0.1" transport("udp") port(${PORT}))`),
  syslogNg('tcp', `network("127.0.0.1" transport("tcp") port(${PORT}))`),
  syslogNg('tcp', `network("127.0.0.1" transport("tcp") port(${PORT}) flags(syslog-protocol))`),
  syslogNg('udp', `syslog("127.0.0.1" transport("udp") port(${PORT}))`),
  syslogNg('tcp', `syslog("127.0.0.1" transport("tcp") port(${PORT}))`),
  syslogNg('tcp', `syslog("::1" ip-protocol(6) transport("tcp") port(${PORT}))`),
  {
    name: 'busybox syslogd -R',
    needs: 'busybox',
    source: 'udp',
    start: ({ bed }) => startBusybox(bed, `127.0.0.1:${PORT}`),
  },
];

function rsyslog(source: 'udp' | 'tcp', parameters: string, host = '127.0.0.1'): Client {
  return {
    name: `rsyslogd to ${host}, ${parameters}`,
    needs: 'rsyslog',
    source,
    start: ({ bed }) =>
      startRsyslog(bed, `action(type="omfwd" target="${host}" port="${PORT}" ${parameters})`),
  };
}

function syslogNg(source: 'udp' | 'tcp', destination: string): Client {
  return {
    name: `syslog-ng, ${destination}`,
    needs: 'syslog-ng',
    source,
    start: ({ bed }) =>
      startSyslogNg(bed, `destination d { ${destination}; }; log { source(s_src); destination(d); };`),
  };
}

describe('a forwarder of syslog', { skip: sceneMissing || (requirements('logger') ?? false) }, () => {
  let scene: Scene;
  before(async () => {
    scene = await openScene({ configuration: CONFIGURATION });
  });
  after(() => scene?.bed.close());

  for (const [index, client] of CLIENTS.entries()) {
    test(`leads to a ban for each failure that it passes on: ${client.name}`, async (t) => {
      const reason = requirements(client.needs);
      if (reason !== null) return t.skip(reason);
      const { bed, daemon } = scene;
      const before = await recordsOf(client);
      const ipv4 = `203.0.113.${index + 1}`;
      const ipv6 = `2001:db8:${index + 1}::7`;
      const forwarder = await client.start(scene);
      await log(forwarder, failedLogin(ipv4));
      await log(forwarder, failedLogin(ipv6, 'café'));
      await waitForBan(daemon, ipv4);
      await waitForBan(daemon, `2001:db8:${index + 1}::/64`);
      assert.ok((await keysOf(bed, 'ban4')).includes(ipv4));
      await forwarder.stop();
      assert.ok((await recordsOf(client)) >= before + 2);
      return undefined;
    });
  }

  test('that escapes control characters on receipt loses no failure', async (t) => {
    const reason = requirements('rsyslog');
    if (reason !== null) return t.skip(reason);
    const { bed, daemon } = scene;
    const forwarder = await startRsyslog(
      bed,
      `action(type="omfwd" target="127.0.0.1" port="${PORT}" protocol="tcp")`,
    );
    await log(forwarder, failedLogin('203.0.113.201', 'x\ty'));
    await log(forwarder, `${failedLogin('203.0.113.202')}\n`);
    await waitForBan(daemon, '203.0.113.201');
    await waitForBan(daemon, '203.0.113.202');
    await forwarder.stop();
    return undefined;
  });

  function log(forwarder: Forwarder, message: string) {
    const words = ['--socket', forwarder.socketPath, '--priority', 'auth.info', '--id=4711', '--tag', 'sshd'];
    return scene.bed.run(['logger', ...words, message]);
  }

  async function recordsOf({ source }: Client): Promise<number> {
    return sumOf(await scene.daemon.metrics(), 'bailiff_records_total', { source });
  }
});
