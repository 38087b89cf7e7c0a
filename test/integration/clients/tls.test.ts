/** TLS as an operator sets it up: `bailiff tls`, and on the other host word for word what `bailiff tls issue` prints. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bed, openBed } from '../../bed/namespace.ts';
import { type Requirement, requirements } from '../../bed/requirements.ts';
import { bailiff, type Daemon } from '../../bed/services/daemon.ts';
import { type Forwarder, startRsyslog, startSyslogNg } from '../../bed/services/forwarders.ts';
import { Journald } from '../../bed/services/journald.ts';
import { waitFor } from '../../bed/waiting.ts';
import { failedLogin, SOON_MILLISECONDS, sceneMissing, startDaemon, sumOf, waitForBan } from '../scene.ts';

const PORT = 6514;

type Client = {
  readonly kind: 'rsyslog' | 'syslog-ng';
  readonly needs: Requirement;
  start(bed: Bed, text: string): Promise<Forwarder>;
};

const CLIENTS: readonly Client[] = [
  { kind: 'rsyslog', needs: 'rsyslog-tls', start: startRsyslog },
  { kind: 'syslog-ng', needs: 'syslog-ng', start: startSyslogNg },
];

describe('a forwarder over TLS', { skip: sceneMissing || (requirements('logger') ?? false) }, () => {
  let bed: Bed;
  let daemon: Daemon;
  let tls: string;
  before(async () => {
    bed = await openBed();
    await Journald.start(bed);
    // Where the instructions put a client's files; an ordinary user may not write to the machine's, not even in a bed.
    await bed.run(['mount', '-t', 'tmpfs', 'tmpfs', '/etc/ssl']);
    tls = join(bed.directory, 'tls');
    const made = await bailiff(bed, 'tls', 'init', '--directory', tls, '--name', 'localhost');
    assert.equal(made.status, 0, made.stderr);
    daemon = await startDaemon(bed, {
      configuration: `
[syslog]
tls = ["127.0.0.1:${PORT}", "[::1]:${PORT}"]
[syslog.tls_server]
certificate = "${tls}/server.crt"
key = "${tls}/server.key"
client_ca = "${tls}/ca.crt"
revoked = "${tls}/ca.crl"
[[sender]]
name = "known"
certificates = ["known"]
jails = []
[jail.sshd]
max_retry = 1
`,
    });
  });
  after(() => bed?.close());

  for (const [index, { kind, needs, start }] of CLIENTS.entries()) {
    test(`leads to a ban: ${kind}, with the settings that bailiff tls issue prints`, async (t) => {
      const reason = requirements(needs);
      if (reason !== null) return t.skip(reason);
      const forwarder = await start(bed, await settingsFor(kind, `web${index}`));
      await log(forwarder, failedLogin(`203.0.113.${index + 1}`));
      await waitForBan(daemon, `203.0.113.${index + 1}`);
      await forwarder.stop();
      assert.ok(sumOf(await daemon.metrics(), 'bailiff_records_total', { source: 'tls' }) > 0);
      return undefined;
    });
  }

  test('is known by the name in its certificate, and held to the jails of that sender', async (t) => {
    const reason = requirements('syslog-ng');
    if (reason !== null) return t.skip(reason);
    const records = async () => sumOf(await daemon.metrics(), 'bailiff_records_total', { source: 'tls' });
    const before = await records();
    const held = await startSyslogNg(bed, await settingsFor('syslog-ng', 'known'));
    await log(held, failedLogin('203.0.113.77'));
    const free = await startSyslogNg(bed, await settingsFor('syslog-ng', 'unknown'));
    await log(free, failedLogin('203.0.113.78'));
    await waitForBan(daemon, '203.0.113.78');
    await held.stop();
    await free.stop();
    await waitFor('both records', SOON_MILLISECONDS, async () =>
      (await records()) >= before + 2 ? true : null,
    );
    const { body } = await daemon.api('/v1/bans');
    assert.ok(!JSON.stringify(body).includes('203.0.113.77'));
    return undefined;
  });

  /** Issues a certificate, puts the files where the instructions say, and returns what they would have written. */
  async function settingsFor(kind: Client['kind'], name: string): Promise<string> {
    const words = ['--directory', tls, '--server', `localhost:${PORT}`, '--for', kind];
    const { status, stdout, stderr } = await bailiff(bed, 'tls', 'issue', name, ...words);
    assert.equal(status, 0, stderr);
    for (const [, from = '', to = ''] of stdout.matchAll(/^ +(\/\S+) {2}to {2}(\/\S+)$/gm)) {
      await bed.run(['install', '-D', from, to]);
    }
    const text = stdout.slice(stdout.indexOf('\n', stdout.indexOf('Write /etc/')));
    assert.match(text, /6514/);
    return text;
  }

  function log(forwarder: Forwarder, message: string) {
    const words = ['--socket', forwarder.socketPath, '--priority', 'auth.info', '--id=4711', '--tag', 'sshd'];
    return bed.run(['logger', ...words, message]);
  }
});
