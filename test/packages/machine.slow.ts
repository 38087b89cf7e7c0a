/**
 * The life of a package on whole machines: installed, attacked, hung and killed, upgraded, rebooted, removed, purged;
 * Debian with real systemd and a real SSH server, and nothing prepared by hand.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { debianRoot, type Suite } from '../bed/debian-root.ts';
import { Machine } from '../bed/machine.ts';
import { ATTACKERS_IPV4, ATTACKERS_IPV6, type Bed, HOST, openBed } from '../bed/namespace.ts';
import { requirements } from '../bed/requirements.ts';
import { HONEST_PASSWORD, HONEST_USER, type LoginOutcome, logIn } from '../bed/services/sshd.ts';
import { waitFor } from '../bed/waiting.ts';
import { clientDebFile, debFile, missingPackages, nextDeb } from './built.ts';

const SOON_MILLISECONDS = 5_000;
const RESTART_MILLISECONDS = 15_000;
/** systemd-analyze security: 0 is safest, 10 is not. */
const MAX_EXPOSURE = 2;

const [ATTACKER = '', ATTACKER_LATER = '', HONEST = ''] = ATTACKERS_IPV4;
/** Whom a device reports, in a network for documentation, RFC 5737. */
const REPORTED = '192.0.2.7';
const WEB_ATTACKER = '192.0.2.8';
const [ATTACKER_IPV6 = ''] = ATTACKERS_IPV6;

/** Writes what nginx does, as its worker: to our socket, by a process that goes on living. */
const NGINX_LINE =
  `<187>Nov 21 05:00:00 machine nginx: 2026/11/21 05:00:00 [error] 7#7: *1 user "a": password mismatch, ` +
  `client: ${WEB_ATTACKER}, server: x, request: "GET / HTTP/1.1", host: "x"`;
const NGINX_WORKER = `use Socket;
socket(my $log, AF_UNIX, SOCK_DGRAM, 0) or die $!;
send($log, '${NGINX_LINE}', 0, pack_sockaddr_un('/run/bailiff/log.sock')) or die $! for 1 .. 5;
sleep 30;
`;
const LOCAL_SETTINGS = `[syslog]
unix = ["/run/bailiff/log.sock"]
[jail.nginx-http-auth]
enabled = true
`;

/** As much of a running fail2ban as others see. */
const FAIL2BAN =
  'mkdir /run/fail2ban && systemd-run --quiet systemd-socket-activate --listen=/run/fail2ban/fail2ban.sock true && ' +
  'until [ -S /run/fail2ban/fail2ban.sock ]; do sleep 0.1; done';

const skip =
  missingPackages(debFile(), clientDebFile()) ??
  requirements('root', 'units', 'sshd', 'nft', 'mmdebstrap', 'nspawn') ??
  false;

for (const suite of ['bookworm', 'trixie'] as const satisfies readonly Suite[]) {
  test(
    `the package protects a machine with Debian ${suite} from its installation to its purge`,
    { skip },
    (t) => liveThrough(t, suite),
  );
}

async function liveThrough(t: TestContext, suite: Suite): Promise<void> {
  const base = debianRoot(suite);
  const startedAt = performance.now();
  const step = (name: string, run: () => Promise<void>): Promise<void> =>
    t.test(name, async (t) => {
      await run();
      t.diagnostic(
        `${suite}: ${((performance.now() - startedAt) / 1000).toFixed(1)} s after the start: ${name}`,
      );
    });
  await using bed = await openBed();
  const machine = await Machine.boot(bed, base);
  const host = new Host(bed, machine);

  await step('asks nothing, and is enabled and ready when apt-get returns', async () => {
    await machine.put(debFile(), '/root/bailiff.deb');
    await machine.shell(FAIL2BAN);
    const { stdout } = await machine.shell('apt-get --quiet install /root/bailiff.deb </dev/null');
    assert.equal(stdout.split('\n').filter((line) => line.includes('bailiff import fail2ban')).length, 1);
    assert.equal(await host.state('ActiveState'), 'active');
    assert.equal(await host.output('systemctl is-enabled bailiff.service'), 'enabled');
    assert.equal(await host.output('systemctl is-enabled bailiff-syslog-udp.socket || true'), 'disabled');
    assert.equal(await host.output('ps -o user= -p $(systemctl show -P MainPID bailiff)'), 'bailiff');
  });

  await step('listens to nobody but this host', async () => {
    const listening = await host.output(
      "ss --no-header -lntup | awk '{print $5}' | grep -v ':22$' | sort -u",
    );
    assert.equal(listening, '127.0.0.1:9185');
  });

  await step(`is exposed less than ${MAX_EXPOSURE}.0`, async () => {
    const verdict = await host.output('systemd-analyze security bailiff.service --no-pager | tail -1');
    const exposure = Number(/(\d+\.\d) /.exec(verdict)?.[1]);
    assert.ok(exposure < MAX_EXPOSURE, verdict);
  });

  await step('cuts off who tries passwords, over IPv4 and IPv6, and nobody else', async () => {
    await host.attackUntilCutOff(ATTACKER, HOST.ipv4);
    await host.attackUntilCutOff(ATTACKER_IPV6, HOST.ipv6);
    assert.equal(await host.login(HONEST, HOST.ipv4, HONEST_PASSWORD), 'accepted');
    assert.match(await host.output('bailiff bans'), new RegExp(ATTACKER.replaceAll('.', '\\.')));
  });

  await step('lets members of its group ask and ban, and others not', async () => {
    await machine.shell(`useradd -G bailiff friend && useradd stranger`);
    assert.match(await host.output("su friend -c 'bailiff status'"), /1 jail|sshd/);
    assert.notEqual((await machine.shell("su stranger -c 'bailiff status'", { anyStatus: true })).status, 0);
  });

  await step('reloads when told, and says so when it cannot', async () => {
    await machine.run(['systemctl', 'reload', 'bailiff.service']);
    await machine.shell("echo '[jail' >/etc/bailiff/conf.d/wrong.toml");
    const refused = await machine.shell('systemctl reload bailiff.service', { anyStatus: true });
    assert.notEqual(refused.status, 0);
    assert.equal(await host.state('ActiveState'), 'active');
    await machine.shell('rm /etc/bailiff/conf.d/wrong.toml');
  });

  await step('puts back what another program has flushed', async () => {
    await machine.run(['nft', 'flush', 'ruleset']);
    await host.untilBanned(ATTACKER);
  });

  await step('is back after kill -9, with its bans', async () => {
    const before = await host.state('MainPID');
    await machine.shell(`kill -9 ${before}`);
    await host.untilReadyAgain(before);
    assert.ok(await host.isBanned(ATTACKER));
  });

  await step('is ready soon after its start', async () => {
    await machine.run(['systemctl', 'restart', 'bailiff.service']);
    const from = Number(await host.state('ExecMainStartTimestampMonotonic'));
    const to = Number(await host.state('ActiveEnterTimestampMonotonic'));
    t.diagnostic(`${suite}: ready ${((to - from) / 1000).toFixed(0)} ms after systemd started it`);
    assert.ok(to > from && to - from < SOON_MILLISECONDS * 1000);
  });

  await step('is restarted when it hangs', async () => {
    await machine.shell(
      'mkdir -p /run/systemd/system/bailiff.service.d && ' +
        "printf '[Service]\\nWatchdogSec=2\\n' >/run/systemd/system/bailiff.service.d/quick.conf && " +
        'systemctl daemon-reload && systemctl restart bailiff.service',
    );
    const before = await host.state('MainPID');
    await machine.shell(`kill -STOP ${before}`);
    await host.untilReadyAgain(before);
    assert.match(
      await host.output('journalctl --unit bailiff.service --output cat --no-pager'),
      /[Ww]atchdog/,
    );
    assert.ok(await host.isBanned(ATTACKER));
  });

  await step('hears the syslog of devices once its sockets are enabled', async () => {
    await machine.shell(
      'systemctl enable bailiff-syslog-udp.socket bailiff-syslog-tcp.socket && ' +
        'systemctl restart bailiff.service',
    );
    const target = ['--udp', '--server', HOST.deviceIpv4, '--port', '514', '--rfc3164'];
    const words = ['--tag', 'sshd[7]', '--priority', 'auth.info', ...target];
    for (let attempt = 0; attempt < 5; attempt++)
      await bed.run(
        ['logger', ...words, `Failed password for root from ${REPORTED} port 471${attempt} ssh2`],
        {
          at: 'attacker',
        },
      );
    await host.untilBanned(REPORTED);
  });

  await step('hears the programs of this host, and shows the certificate that root has made', async () => {
    await machine.shell('cat >/etc/bailiff/conf.d/local.toml', { input: LOCAL_SETTINGS });
    await machine.shell('cat >/etc/nginx-worker.pl', { input: NGINX_WORKER });
    await machine.shell(
      'bailiff tls init --name machine.example --write && systemctl reload bailiff.service',
    );
    assert.match(await host.output('bailiff status'), /listens on .*tls .*unix .*certificate valid until/s);
    await machine.shell(
      'systemd-run --unit=nginx.service --property=User=www-data perl /etc/nginx-worker.pl',
    );
    await host.untilBanned(WEB_ATTACKER);
    await machine.shell('systemctl stop nginx.service && rm -r /etc/bailiff/tls /etc/bailiff/conf.d/*');
    await machine.run(['systemctl', 'reload', 'bailiff.service']);
  });

  await step('takes on a sender when root says so', async () => {
    await machine.shell('umask 077 && bailiff senders adopt 192.0.2.9 --name nas');
    assert.match(await host.output('bailiff senders'), /^nas .*unheard$/m);
  });

  await step('answers as fail2ban-client where its package is installed', async () => {
    await machine.put(clientDebFile(), '/root/client.deb');
    await machine.shell('apt-get --quiet install /root/client.deb </dev/null');
    assert.match(await host.output('fail2ban-client status'), /Jail list:\tmanual, sshd$/);
    await machine.run(['dpkg', '--purge', 'bailiff-fail2ban-client']);
  });

  await step('an upgrade keeps bans and edited files', async () => {
    await machine.shell("echo '# mine' >>/etc/bailiff/bailiff.toml");
    const before = await host.state('MainPID');
    await machine.put(nextDeb(debFile(), join(bed.directory, 'next.deb')), '/root/next.deb');
    await machine.shell('dpkg --force-confold --install /root/next.deb </dev/null');
    assert.notEqual(await host.state('MainPID'), before);
    assert.equal(await host.state('ActiveState'), 'active');
    assert.ok(await host.isBanned(ATTACKER));
    assert.match(await host.output('cat /etc/bailiff/bailiff.toml'), /^# mine$/m);
    assert.match(await host.output('cat /etc/bailiff/bailiff.toml.dpkg-dist'), /A line of the next version/);
  });

  await step('what was disabled stays off over an upgrade', async () => {
    await machine.shell('systemctl disable --now bailiff.service 2>/dev/null');
    await machine.shell('dpkg --force-confold --install /root/bailiff.deb </dev/null');
    assert.equal(await host.state('ActiveState'), 'inactive');
    assert.ok(await host.isBanned(ATTACKER), 'stopping opens nothing');
    await machine.shell('systemctl enable --now bailiff.service 2>/dev/null');
  });

  await step('bans survive a reboot', async () => {
    await machine.powerOff();
    await bed.run(['nft', 'flush', 'ruleset']);
    await machine.bootAgain();
    await host.untilBanned(ATTACKER);
    await host.attackUntilCutOff(ATTACKER_LATER, HOST.ipv4);
  });

  await step('removing it keeps its configuration, its bans and what the kernel enforces', async () => {
    await machine.run(['dpkg', '--remove', 'bailiff']);
    assert.equal(await host.state('ActiveState'), 'inactive');
    assert.match(await host.output('cat /etc/bailiff/bailiff.toml'), /^# mine$/m);
    assert.match(await host.output('ls /var/lib/bailiff'), /bailiff\.db/);
    assert.ok(await host.isBanned(ATTACKER));
  });

  await step('purging it leaves nothing', async () => {
    await machine.run(['dpkg', '--purge', 'bailiff']);
    const left =
      'ls -d /etc/bailiff /var/lib/bailiff /var/cache/bailiff /run/bailiff /usr/share/bailiff /usr/libexec/bailiff ' +
      '/etc/systemd/system/*/bailiff* 2>/dev/null || true';
    assert.equal(await host.output(left), '');
    assert.doesNotMatch(await host.output('nft list tables'), /bailiff/);
    assert.equal(await host.output('getent passwd bailiff || true'), '');
    assert.equal(await host.login(ATTACKER, HOST.ipv4, HONEST_PASSWORD), 'accepted');
  });
}

/** The machine as its administrator and its attackers see it. */
class Host {
  readonly #bed: Bed;
  readonly #machine: Machine;

  constructor(bed: Bed, machine: Machine) {
    this.#bed = bed;
    this.#machine = machine;
  }

  async output(command: string): Promise<string> {
    return (await this.#machine.shell(command)).stdout.trim();
  }

  /** A property of the unit. */
  state(property: string): Promise<string> {
    return this.output(`systemctl show --property=${property} --value bailiff.service`);
  }

  login(from: string, to: string, password: string): Promise<LoginOutcome> {
    return logIn(this.#bed, 22, { from, to, user: HONEST_USER, password, connectTimeoutSeconds: 1 });
  }

  async isBanned(address: string): Promise<boolean> {
    return (await this.output('nft list table inet bailiff || true')).includes(address);
  }

  async untilBanned(address: string): Promise<void> {
    await waitFor(`${address} to be banned`, SOON_MILLISECONDS, async () =>
      (await this.isBanned(address)) ? true : null,
    );
  }

  /** Tries wrong passwords; five are allowed, and what comes right after them may be faster than the ban. */
  async attackUntilCutOff(from: string, to: string): Promise<void> {
    for (let attempt = 0; attempt < 10; attempt++) {
      if ((await this.login(from, to, 'wrong')) === 'unreachable') return;
    }
    assert.fail(`${from} was let to try ten passwords`);
  }

  async untilReadyAgain(before: string): Promise<void> {
    await waitFor('another process of the daemon to be ready', RESTART_MILLISECONDS, async () => {
      const [pid, active] = [await this.state('MainPID'), await this.state('ActiveState')];
      return pid !== before && pid !== '0' && active === 'active' ? true : null;
    });
  }
}
