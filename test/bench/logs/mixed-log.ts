/**
 * A /var/log/syslog of a busy server: what sshd, a mail server, a web server and the kernel write while they are being
 * attacked, in the midst of what no filter matches. The same seed gives the same lines.
 */
import { Random } from '../../sim/random.ts';
import {
  ATTACKED_USERS,
  attacker,
  CONNECTIONS_AT_ONCE,
  type Conversation,
  FIRST_LINE_AT,
  formatTime,
  HOUR_MILLISECONDS,
  LOG_HOURS,
  openConnection,
  randomPort,
} from './sshd-log.ts';

const HOSTNAME = 'web1';

/** How much of the log each kind of writer has, in percent; together 100. */
export const SHARES = { sshd: 15, mail: 15, web: 10, kernel: 10, noise: 50 } as const;

/** Who writes a line: its tag, and its text. */
type Writer = (random: Random) => readonly [tag: string, text: string];

/** `count` lines, each ended, of a log that begins at a fixed time. */
export function* generateMixedLog(seed: number, count: number): Generator<string> {
  const random = new Random(seed);
  const kinds = Object.entries(SHARES).flatMap(([kind, percent]) => new Array<string>(percent).fill(kind));
  const connections = Array.from({ length: CONNECTIONS_AT_ONCE }, () => openConnection(random));
  for (let index = 0; index < count; index++) {
    const time = formatTime(FIRST_LINE_AT + Math.floor((index / count) * LOG_HOURS * HOUR_MILLISECONDS));
    const kind = random.pick(kinds);
    const [tag, text] =
      kind === 'sshd' ? nextOfConnections(connections, random) : random.pick(WRITERS[kind] ?? [])(random);
    yield `${time} ${HOSTNAME} ${tag}: ${text}\n`;
  }
}

/** The next line of one of the connections; one that is over makes room for another. */
function nextOfConnections(connections: Conversation[], random: Random): readonly [string, string] {
  const place = random.below(connections.length);
  const { tag, messages } = connections[place] ?? openConnection(random);
  const text = messages.shift() ?? '';
  if (messages.length === 0) connections[place] = openConnection(random);
  return [tag, text];
}

const MAIL: readonly Writer[] = [
  (random) => [`postfix/smtpd[${processId(random)}]`, `connect from unknown[${attacker(random).address}]`],
  (random) => [
    `postfix/smtpd[${processId(random)}]`,
    `lost connection after AUTH from unknown[${attacker(random).address}]`,
  ],
  (random) => [
    `postfix/smtpd[${processId(random)}]`,
    `disconnect from unknown[${attacker(random).address}] ehlo=1 auth=0/1 quit=1 commands=2/3`,
  ],
  (random) => [
    `postfix/smtpd[${processId(random)}]`,
    `warning: unknown[${attacker(random).address}]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=${user(random)}`,
  ],
  (random) => [
    `postfix/smtpd[${processId(random)}]`,
    `NOQUEUE: reject: RCPT from unknown[${attacker(random).address}]: 554 5.7.1 <${user(random)}@example.net>: Relay access denied; from=<a@example.org> to=<${user(random)}@example.net> proto=ESMTP helo=<mail.example.org>`,
  ],
  (random) => [
    `postfix/cleanup[${processId(random)}]`,
    `${queueId(random)}: message-id=<${queueId(random)}@example.org>`,
  ],
  (random) => [
    `postfix/qmgr[${processId(random)}]`,
    `${queueId(random)}: from=<alice@example.org>, size=${randomPort(random)}, nrcpt=1 (queue active)`,
  ],
  (random) => [
    `postfix/smtp[${processId(random)}]`,
    `${queueId(random)}: to=<bob@example.com>, relay=mx.example.com[${client(random)}]:25, delay=0.64, delays=0.05/0.01/0.3/0.28, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as ${queueId(random)})`,
  ],
  (random) => [
    'dovecot',
    `imap-login: Login: user=<alice>, method=PLAIN, rip=${client(random)}, lip=198.51.100.2, mpid=${processId(random)}, TLS, session=<${queueId(random)}>`,
  ],
  (random) => [
    'dovecot',
    `imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<${user(random)}>, method=PLAIN, rip=${attacker(random).address}, lip=198.51.100.2, TLS, session=<${queueId(random)}>`,
  ],
];

const AGENT = '"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"';

const WEB: readonly Writer[] = [
  ...[
    '/',
    '/index.html',
    '/assets/application.css',
    '/images/logo.png',
    '/blog/2026/03/05/a-day',
    '/api/v1/items',
  ].map(
    (path): Writer =>
      (random) => [
        'nginx',
        `${client(random)} - - [05/Mar/2026:04:12:33 +0000] "GET ${path} HTTP/1.1" 200 ${randomPort(random)} "https://www.example.org/" ${AGENT}`,
      ],
  ),
  (random) => [
    'nginx',
    `${attacker(random).address} - - [05/Mar/2026:04:12:33 +0000] "GET /wp-login.php HTTP/1.1" 404 153 "-" ${AGENT}`,
  ],
  (random) => [
    'nginx',
    `${attacker(random).address} - ${user(random)} [05/Mar/2026:04:12:33 +0000] "GET /admin HTTP/1.1" 401 179 "-" "curl/8.5.0"`,
  ],
  (random) => [
    'nginx',
    `2026/03/05 04:12:33 [error] 1234#1234: *${randomPort(random)} user "${user(random)}": password mismatch, client: ${attacker(random).address}, server: www.example.org, request: "GET /admin HTTP/1.1", host: "www.example.org"`,
  ],
  (random) => [
    `apache2[${processId(random)}]`,
    `[authz_core:error] [pid 1234:tid 5678] [client ${attacker(random).address}:${randomPort(random)}] AH01630: client denied by server configuration: /var/www/html/.git`,
  ],
];

const KERNEL_TEXTS: readonly ((random: Random) => string)[] = [
  (random) =>
    `[UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00 SRC=${attacker(random).address} DST=198.51.100.2 LEN=40 TOS=0x00 PREC=0x00 TTL=240 ID=${randomPort(random)} PROTO=TCP SPT=${randomPort(random)} DPT=${random.below(10_000)} WINDOW=1024 RES=0x00 SYN URGP=0 `,
  () => 'eth0: Link is Up - 1Gbps/Full - flow control rx/tx',
  (random) =>
    `audit: type=1400 audit(1772683953.123:${randomPort(random)}): apparmor="STATUS" operation="profile_replace"`,
  (random) => `docker0: port 1(veth${hex(random)}) entered forwarding state`,
  (random) => `device veth${hex(random)} entered promiscuous mode`,
];

const KERNEL: readonly Writer[] = KERNEL_TEXTS.map((write) => (random) => {
  const uptime = `${1_000 + random.below(90_000)}.${100_000 + random.below(900_000)}`;
  return ['kernel', `[${uptime}] ${write(random)}`];
});

const NOISE: readonly Writer[] = [
  () => ['systemd[1]', 'Started Session 4711 of User alice.'],
  () => ['systemd[1]', 'Starting Daily apt download activities...'],
  () => ['systemd[1]', 'sysstat-collect.service: Deactivated successfully.'],
  (random) => [`systemd[${processId(random)}]`, 'Reached target Main User Target.'],
  (random) => [
    `CRON[${processId(random)}]`,
    '(root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)',
  ],
  (random) => [
    'dhclient[812]',
    `DHCPREQUEST for 198.51.100.2 on eth0 to 198.51.100.1 port 67 (xid=0x${hex(random)})`,
  ],
  () => ['dhclient[812]', 'bound to 198.51.100.2 -- renewal in 17342 seconds.'],
  (random) => [
    'NetworkManager[655]',
    `<info>  [1772683953.${1_000 + random.below(9_000)}] dhcp4 (eth0): state changed new lease, address=198.51.100.2`,
  ],
  (random) => [
    'dockerd[1044]',
    `time="2026-03-05T04:12:33.${100_000 + random.below(900_000)}Z" level=info msg="ignoring event" container=${hex(random)}${hex(random)}${hex(random)} module=libcontainerd namespace=moby topic=/tasks/delete type="*events.TaskDelete"`,
  ],
  () => [
    'systemd-resolved[540]',
    'Using degraded feature set UDP instead of UDP+EDNS0 for DNS server 198.51.100.1.',
  ],
  () => ['systemd-networkd[433]', 'eth0: Gained carrier'],
  () => [
    'rsyslogd',
    '[origin software="rsyslogd" swVersion="8.2302.0" x-pid="601" x-info="https://www.rsyslog.com"] rsyslogd was HUPed',
  ],
  () => ['avahi-daemon[588]', 'Registering new address record for fe80::5054:ff:fe12:3456 on eth0.*.'],
  (random) => [
    'dbus-daemon[590]',
    `[system] Successfully activated service 'org.freedesktop.hostname${random.below(9)}'`,
  ],
  (random) => [
    'snapd[700]',
    `storehelpers: cannot refresh ${random.below(999)}: snap has no updates available: "core22"`,
  ],
  (random) => ['chronyd[610]', `Selected source 192.0.2.${random.below(250)} (2.debian.pool.ntp.org)`],
  () => [
    'smartd[620]',
    'Device: /dev/sda [SAT], SMART Usage Attribute: 194 Temperature_Celsius changed from 64 to 63',
  ],
  (random) => [`anacron[${processId(random)}]`, "Job `cron.daily' terminated"],
];

const WRITERS: Readonly<Record<string, readonly Writer[]>> = {
  mail: MAIL,
  web: WEB,
  kernel: KERNEL,
  noise: NOISE,
};

function client(random: Random): string {
  return `192.0.2.${1 + random.below(250)}`;
}

function user(random: Random): string {
  return random.pick(ATTACKED_USERS);
}

/** A server has as many processes at once. */
function processId(random: Random): number {
  return 41_000 + random.below(CONNECTIONS_AT_ONCE);
}

function queueId(random: Random): string {
  return `${hex(random)}${hex(random)}`.toUpperCase().slice(0, 11);
}

function hex(random: Random): string {
  return random.below(0x1_0000_0000).toString(16).padStart(8, '0');
}
