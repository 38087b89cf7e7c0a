import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readRevocationList } from '../../../../src/certificates/authority.ts';
import { findGroup, replaceFile, writeNewFile } from '../../../../src/certificates/private-file.ts';
import type { CheckReport } from '../../../../src/cli/commands/setup/check.ts';
import { makeDirectory } from '../../../http/running-server.ts';
import { assertGolden, NOW, run } from '../../fake-terminal.ts';

/** A configuration of its own, with an authority when it is begun. */
function setUp(t: TestContext) {
  const directory = makeDirectory(t);
  mkdirSync(join(directory, 'conf.d'));
  const configPath = join(directory, 'bailiff.toml');
  writeFileSync(configPath, '[jail.sshd]\n');
  const tls = (...words: string[]) => run(['tls', ...words, '--config', configPath]);
  const path = (...names: string[]) => join(directory, 'tls', ...names);
  const certificate = (...names: string[]) => new X509Certificate(readFileSync(path(...names)));
  const mode = (...names: string[]) => statSync(path(...names)).mode & 0o777;
  return { directory, configPath, tls, path, certificate, mode };
}

test('init makes an authority and a certificate for this host, and keys that nobody else can read', async (t) => {
  const { tls, certificate, mode, path } = setUp(t);
  const { status, out } = await tls('init', '--name', 'log.example.net', '192.0.2.9');
  assert.equal(status, 0);
  const server = certificate('server.crt');
  assert.ok(server.checkIssued(certificate('ca.crt')));
  assert.equal(server.subject, 'CN=log.example.net');
  assert.equal(server.checkHost('localhost'), 'localhost');
  for (const address of ['192.0.2.9', '127.0.0.1']) assert.equal(server.checkIP(address), address);
  assert.deepEqual([mode('ca.key'), mode('clients')], [0o600, 0o700]);
  assert.ok([0o600, 0o640].includes(mode('server.key')));
  assert.deepEqual([mode('ca.crt'), mode('server.crt')], [0o644, 0o644]);
  assert.ok(out.includes(`certificate = "${path('server.crt')}"`));
});

test('init --write makes a configuration that is good, and check says until when', async (t) => {
  const { tls, configPath } = setUp(t);
  assert.equal((await tls('init', '--write', '--days', '90')).status, 0);
  const { status, out } = await run(['check', '--config', configPath]);
  assert.equal(status, 0);
  assert.match(out, /TLS certificate valid until 2027-02-19$/);
});

test('check warns of a certificate near its end, and refuses one that cannot be used', async (t) => {
  const { tls, configPath, path } = setUp(t);
  await tls('init', '--write', '--days', '5');
  const near = await run(['check', '--config', configPath]);
  assert.equal(near.status, 0);
  assert.match(near.error, /warning: the certificate of the TLS listeners expires in 5 days/);
  writeFileSync(path('server.key'), 'nonsense');
  const broken = await run(['check', '--json', '--config', configPath]);
  assert.equal(broken.status, 4);
  const report = JSON.parse(broken.out) as CheckReport;
  assert.match(report.problems[0]?.message ?? '', /^cannot use key /);
});

test('nothing is ever overwritten', async (t) => {
  const { tls, path } = setUp(t);
  await tls('init');
  await tls('issue', 'nas1');
  const before = readFileSync(path('ca.key'), 'utf8');
  const again = await tls('init');
  assert.equal(again.status, 1);
  assert.match(again.error, /ca\.crt is there already, and nothing is overwritten/);
  assert.equal(readFileSync(path('ca.key'), 'utf8'), before);
  const twice = await tls('issue', 'nas1');
  assert.deepEqual([twice.status, /a certificate for nas1 already/.test(twice.error)], [1, true]);
});

test('issue makes a certificate for a sender and prints what to enter in it', async (t) => {
  const { tls, certificate, mode, directory } = setUp(t);
  await tls('init', '--name', 'log.example.net');
  const { status, out } = await tls('issue', 'nas1');
  assert.equal(status, 0);
  const nas = certificate('clients', 'nas1.crt');
  assert.ok(nas.checkIssued(certificate('ca.crt')));
  assert.deepEqual([nas.subject, nas.subjectAltName], ['CN=nas1', 'DNS:nas1']);
  assert.deepEqual([mode('clients', 'nas1.key'), mode('clients', 'nas1.p12')], [0o600, 0o600]);
  assert.match(out, /passphrase [\w-]{12} /);
  const stable = out.replaceAll(directory, '/etc/bailiff').replace(/passphrase [\w-]+/, 'passphrase SECRET');
  assertGolden('tls-issue', stable);
});

test('issue takes another way to this host, and the kinds that are asked for', async (t) => {
  const { tls } = setUp(t);
  await tls('init');
  const { out } = await tls('issue', 'ap.example.net', '--server', '[2001:db8::1]:7000', '--for', 'dsm');
  assert.match(out, /Server +2001:db8::1\n/);
  assert.match(out, /Port +7000\n/);
  assert.ok(out.includes('Synology DSM') && !out.includes('RouterOS'));
});

test('without an authority there is nothing to issue', async (t) => {
  const { tls } = setUp(t);
  const { status, error } = await tls('issue', 'nas1');
  assert.equal(status, 1);
  assert.match(error, /there is no authority in .*\n {2}make one with: bailiff tls init/);
});

for (const name of [
  '../nas',
  'NAS',
  '.nas',
  'nas1/x',
  'server',
  'a..b',
  '',
  'x'.repeat(64),
  'a b',
  '$(id)',
]) {
  test(`${JSON.stringify(name)} names no sender`, async (t) => {
    const { tls } = setUp(t);
    assert.equal((await tls('issue', '--', name).catch(() => ({ status: 2 }))).status, 2);
  });
}

test('list shows everything, and revoke takes a certificate back', async (t) => {
  const { tls, directory, path } = setUp(t);
  await tls('init');
  await tls('issue', 'nas1');
  await tls('issue', 'nas2', '--days', '10');
  const revoked = await tls('revoke', 'nas1');
  assert.match(revoked.out, /^nas1: revoked \([0-9A-F]{32}\)/);
  const again = await tls('issue', 'nas1');
  assert.equal(again.status, 0, 'the name is free again');
  const json = JSON.parse((await tls('list', '--json')).out) as {
    certificates: { name: string; isRevoked: boolean; until: number }[];
  };
  assert.deepEqual(
    json.certificates.map(({ name, isRevoked }) => `${name}${isRevoked ? ' revoked' : ''}`).sort(),
    ['ca', 'nas1', 'nas1 revoked', 'nas2', 'server'],
  );
  assert.equal(json.certificates.find(({ name }) => name === 'nas2')?.until, NOW * 1_000 + 864_000_000_000);
  const { out } = await tls('list');
  assert.match(out, /^name +role +until +days left +file\n/);
  assert.match(out, /nas2 +client +2026-12-01 +10 /);
  assert.ok(out.includes('revoked') && out.includes(directory));
  assert.ok(readFileSync(path('ca.crl'), 'utf8').startsWith('-----BEGIN X509 CRL-----'));
});

test('revoke finds every certificate of a sender, also those that were renewed, and what a lost list had', async (t) => {
  const { tls, certificate, path } = setUp(t);
  await tls('init');
  const serials: string[] = [];
  const note = () => serials.push(certificate('clients', 'nas1.crt').serialNumber);
  const revoked = () =>
    readRevocationList(readFileSync(path('ca.crl'), 'utf8')).revocations.map((one) => one.serialNumber);
  await tls('issue', 'nas1');
  note();
  await tls('renew', 'nas1');
  note();
  await tls('renew', 'nas1');
  note();
  await tls('issue', 'nas1-2');
  await tls('renew', 'nas1-2');
  assert.match((await tls('list')).out, /nas1 +client .*\.replaced\n/);
  assert.equal((await tls('revoke', 'nas1')).status, 0);
  assert.deepEqual(revoked().sort(), serials.toSorted());
  rmSync(path('ca.crl'));
  writeFileSync(path('clients', 'broken.crt'), 'nonsense');
  const { status, out } = await tls('revoke', 'nas1-2', '--json');
  assert.equal(status, 0);
  const last = JSON.parse(out) as { serialNumbers: string[] };
  assert.equal(last.serialNumbers.length, 2);
  assert.deepEqual(revoked().sort(), [...serials, ...last.serialNumbers].sort());
});

test('init --write makes the directory of drop-ins when there is none', async (t) => {
  const { tls, directory } = setUp(t);
  rmSync(join(directory, 'conf.d'), { recursive: true });
  assert.equal((await tls('init', '--write')).status, 0);
  assert.match(
    readFileSync(join(directory, 'conf.d', 'tls.toml'), 'utf8'),
    /client_certificate = "required"/,
  );
});

test('renew makes a new certificate with the old names and the new', async (t) => {
  const { tls, certificate } = setUp(t);
  await tls('init', '--name', 'log.example.net');
  const before = certificate('server.crt');
  assert.equal((await tls('renew', 'server', '--name', 'syslog.example.net')).status, 0);
  const after = certificate('server.crt');
  assert.notEqual(after.serialNumber, before.serialNumber);
  for (const name of ['log.example.net', 'syslog.example.net']) assert.equal(after.checkHost(name), name);
  await tls('issue', 'nas1');
  const old = certificate('clients', 'nas1.crt').serialNumber;
  assert.equal((await tls('renew', 'nas1')).status, 0);
  assert.notEqual(certificate('clients', 'nas1.crt').serialNumber, old);
  assert.equal((await tls('renew', 'nas9')).status, 1);
});

test('a directory that nobody can write to is told with advice', async (t) => {
  const { directory } = setUp(t);
  const { status, error } = await run(['tls', 'init', '--directory', join(directory, 'bailiff.toml', 'tls')]);
  assert.equal(status, 1);
  assert.match(error, /cannot make .*\n {2}run it as root, or name another place with --directory/);
});

test('a new file is never an old one, nor what a link points to', (t) => {
  const path = join(makeDirectory(t), 'file');
  writeNewFile(path, 'one', { mode: 0o640, group: process.getgid?.() ?? null });
  assert.throws(() => writeNewFile(path, 'two', { mode: 0o600, group: null }), /EEXIST/);
  assert.equal(statSync(path).mode & 0o777, 0o640);
  replaceFile(path, 'three', { mode: 0o600, group: null });
  assert.deepEqual([readFileSync(path, 'utf8'), statSync(path).mode & 0o777], ['three', 0o600]);
});

test('a group is found by its whole name', (t) => {
  const file = join(makeDirectory(t), 'group');
  writeFileSync(file, 'bailiffs:x:7:\nbailiff:x:812:\nbroken:x:y:\n');
  assert.deepEqual(
    ['bailiff', 'bail', 'broken'].map((name) => findGroup(name, file)),
    [812, null, null],
  );
  assert.equal(findGroup('bailiff', join(file, 'nowhere')), null);
});
