/** Real clients over TLS: rsyslogd with either of its TLS libraries, and openssl s_client. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createStreamSource, type StreamOptions } from '../../../src/sources/stream/stream.ts';
import { PATIENCE_MILLISECONDS, waitFor } from '../../bed/waiting.ts';
import { findFreePort } from '../../bench/measure/ports.ts';
import { missingOpenssl } from '../../http/certificate.ts';
import { Listening, permitting } from '../listening.ts';
import { credentialsOf, makeCertificates } from './certificates.ts';
import { log, noRsyslog, startRsyslog } from './clients.ts';

const certificates = await makeCertificates();
const directory = mkdtempSync(join(tmpdir(), 'bailiff-tls-'));
after(() => rmSync(directory, { recursive: true }));

const authorityPath = write('ca.crt', certificates.authority.certificate);
const clientPaths = {
  certificate: write('client.crt', certificates.client.certificate),
  key: write('client.key', certificates.client.key),
};
const strangerPaths = {
  certificate: write('stranger.crt', certificates.stranger.certificate),
  key: write('stranger.key', certificates.stranger.key),
};

function write(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

function listen(changes: Partial<StreamOptions> = {}): Promise<Listening> {
  const listening = new Listening();
  const options = { ...listening.options(), maxConnections: 20, maxConnectionsPerSender: 10 };
  // Only certificates let anybody in.
  const senders = permitting('192.0.2.0/24');
  const credentials = credentialsOf(certificates);
  return listening.start(createStreamSource({ ...options, senders, credentials, ...changes }));
}

/** Why rsyslogd cannot use this library; false when it can. */
function missingDriver(driver: string): string | false {
  const places = existsSync('/usr/lib') ? readdirSync('/usr/lib') : [];
  const isThere = ['.', ...places].some((place) =>
    existsSync(join('/usr/lib', place, 'rsyslog', `lmnsd_${driver}.so`)),
  );
  if (isThere) return noRsyslog;
  const name = driver === 'ossl' ? 'rsyslog-openssl' : 'rsyslog-gnutls';
  return `rsyslogd lacks its TLS library (package ${name})`;
}

function globalsWith({ certificate, key }: typeof clientPaths): string[] {
  return [
    `defaultNetstreamDriverCAFile="${authorityPath}"`,
    `defaultNetstreamDriverCertFile="${certificate}"`,
    `defaultNetstreamDriverKeyFile="${key}"`,
  ];
}

/** As `bailiff tls issue` prints it. */
function parametersOf(driver: string, port: number, more = ''): string {
  return [
    `port="${port}" protocol="tcp" StreamDriver="${driver}" StreamDriverMode="1"`,
    'StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="log.example.net"',
    'template="RSYSLOG_SyslogProtocol23Format" TCP_Framing="octet-counted"',
    more,
  ].join(' ');
}

describe('over TLS', () => {
  for (const driver of ['ossl', 'gtls']) {
    it(`rsyslogd with ${driver} is believed by its certificate, and believes ours`, {
      skip: missingDriver(driver),
    }, async () => {
      await using listening = await listen();
      const rsyslog = await startRsyslog(parametersOf(driver, listening.port), globalsWith(clientPaths));
      try {
        await log('Failed password for café from 2001:db8::7 port 1 ssh2', ['-u', rsyslog.socket]);
        const [record] = await listening.receivedFrom('sshd', 1);
        assert.equal(record?.message, 'Failed password for café from 2001:db8::7 port 1 ssh2');
        assert.equal(record?.source, 'tls');
      } finally {
        await rsyslog.stop();
      }
    });

    it(`rsyslogd with ${driver} and a certificate of strangers is turned away`, {
      skip: missingDriver(driver),
    }, async () => {
      await using listening = await listen();
      const rsyslog = await startRsyslog(parametersOf(driver, listening.port), globalsWith(strangerPaths));
      try {
        await log('Failed password for root from 203.0.113.7 port 1 ssh2', ['-u', rsyslog.socket]);
        const failure = await listening.event('handshake-failed');
        // With gtls it shows none at all, since its authority is not among those that we name.
        assert.ok(['unknown-authority', 'no-certificate'].includes(failure.reason), failure.reason);
        assert.deepEqual(listening.records, []);
      } finally {
        await rsyslog.stop();
      }
    });
  }

  it('what rsyslogd has queued on its disk while we were away arrives when we are back', {
    skip: missingDriver('ossl'),
  }, async () => {
    const listen0 = { host: '127.0.0.1', port: await findFreePort() };
    const queue = [
      'queue.type="Disk" queue.filename="bailiff" queue.maxDiskSpace="10m" queue.saveOnShutdown="on"',
      'action.resumeRetryCount="-1" action.resumeInterval="1"',
    ].join(' ');
    const first = await listen({ listen: listen0 });
    const rsyslog = await startRsyslog(parametersOf('ossl', listen0.port, queue), globalsWith(clientPaths));
    try {
      await log('before', ['-u', rsyslog.socket]);
      await first.receivedFrom('sshd', 1);
      await first.source?.stop();
      // The first may be written into the connection that has just been closed (RFC 6587 section 4.1).
      await log('into the void', ['-u', rsyslog.socket]);
      for (let number = 0; number < 20; number++) await log(`queued ${number}`, ['-u', rsyslog.socket]);
      await using second = await listen({ listen: listen0 });
      const wanted = Array.from({ length: 20 }, (_, number) => `queued ${number}`);
      await waitFor('the queued messages', PATIENCE_MILLISECONDS, () =>
        wanted.every((message) => second.messages.includes(message)) ? true : null,
      );
      const queued = second.messages.filter((message) => message.startsWith('queued'));
      // At least once: rsyslogd 8.2504 sends the one again that it was about to send when the connection broke.
      assert.deepEqual([...new Set(queued)], wanted);
      assert.ok(queued.length <= wanted.length + 1, `${queued.length} messages`);
    } finally {
      await rsyslog.stop();
    }
  });

  it('openssl s_client is understood', { skip: missingOpenssl() ?? false }, async () => {
    await using listening = await listen();
    const { certificate, key } = clientPaths;
    const words = `s_client -quiet -verify_return_error -CAfile ${authorityPath} -cert ${certificate} -key ${key}`;
    const child = spawn('openssl', [...words.split(' '), '-connect', `127.0.0.1:${listening.port}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin?.write('<38>sshd: by hand\n');
    await listening.received(1);
    assert.deepEqual(listening.messages, ['by hand']);
    child.kill();
  });
});
