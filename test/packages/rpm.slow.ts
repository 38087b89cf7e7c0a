/** The .rpm and its scripts, on a machine with real systemd that has Debian's libraries: no dependency is asked for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { debianRoot } from '../bed/debian-root.ts';
import { Machine } from '../bed/machine.ts';
import { ATTACKERS_IPV4, HOST, openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { HONEST_USER, logIn } from '../bed/services/sshd.ts';
import { missingPackages, rpmFile } from './built.ts';

const RPM = 'rpm --nodeps';
const skip =
  missingPackages(rpmFile()) ?? requirements('root', 'units', 'sshd', 'nft', 'mmdebstrap', 'nspawn') ?? false;

test('the .rpm installs, protects, upgrades and goes', { skip }, async (t) => {
  const base = debianRoot('trixie');
  await using bed = await openBed();
  const machine = await Machine.boot(bed, base);
  const output = async (command: string): Promise<string> => (await machine.shell(command)).stdout.trim();
  const isActive = (): Promise<string> => output('systemctl is-active bailiff.service || true');
  await machine.put(rpmFile(), '/root/bailiff.rpm');

  await t.test('it is enabled and runs once it is installed, and its sockets are not', async () => {
    await machine.shell(`${RPM} --install /root/bailiff.rpm`);
    assert.equal(await isActive(), 'active');
    assert.equal(await output('systemctl is-enabled bailiff.service'), 'enabled');
    assert.equal(await output('systemctl is-enabled bailiff-syslog-tcp.socket || true'), 'disabled');
  });

  await t.test('it cuts off who tries passwords', async () => {
    const [from = ''] = ATTACKERS_IPV4;
    const outcomes: string[] = [];
    for (let attempt = 0; attempt < 10 && outcomes.at(-1) !== 'unreachable'; attempt++)
      outcomes.push(await logIn(bed, 22, { from, to: HOST.ipv4, user: HONEST_USER, password: 'wrong' }));
    assert.equal(outcomes.at(-1), 'unreachable');
  });

  await t.test('it is restarted by an upgrade, which keeps edited files', async () => {
    const before = await output('systemctl show --property=MainPID --value bailiff.service');
    await machine.shell("echo '# mine' >>/etc/bailiff/bailiff.toml");
    await machine.shell(`${RPM} --upgrade --replacepkgs /root/bailiff.rpm`);
    assert.equal(await isActive(), 'active');
    assert.notEqual(await output('systemctl show --property=MainPID --value bailiff.service'), before);
    assert.match(await output('cat /etc/bailiff/bailiff.toml'), /^# mine$/m);
  });

  await t.test('erasing it stops it, keeps what was edited and the bans, and clears the kernel', async () => {
    await machine.shell(`${RPM} --erase bailiff`);
    assert.notEqual(await isActive(), 'active');
    assert.match(await output('cat /etc/bailiff/bailiff.toml.rpmsave'), /^# mine$/m);
    assert.match(await output('ls /var/lib/bailiff'), /bailiff\.db/);
    assert.doesNotMatch(await output('nft list tables'), /bailiff/);
    assert.equal(await output('ls -d /usr/libexec/bailiff /usr/share/bailiff 2>/dev/null || true'), '');
  });
});
