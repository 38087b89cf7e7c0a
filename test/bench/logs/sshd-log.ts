/**
 * A /var/log/auth.log of a server that is on the internet: what OpenSSH 9 writes for attackers, scanners and users,
 * several connections at once, and lines of other programs in between. The same seed gives the same lines.
 */
import { Random } from '../../sim/random.ts';

/** Failures come from this many addresses, a few of which send most of them. */
export const ATTACKER_COUNT = 5_000;

/** What the lines of a log cover, however many they are. */
export const LOG_HOURS = 6;

export const CONNECTIONS_AT_ONCE = 20;
export const HOUR_MILLISECONDS = 60 * 60 * 1_000;
export const FIRST_LINE_AT = Date.UTC(2026, 2, 5);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
export const ATTACKED_USERS = [
  'admin',
  'test',
  'oracle',
  'postgres',
  'ubuntu',
  'git',
  'user1',
  'ftpuser',
  'pi',
  'es',
  'dev',
];
const HONEST_USERS = ['alice', 'bob', 'carol', 'deploy'];

/** What is still to be written of one connection, or of something else, under one identifier and PID. */
export type Conversation = { readonly tag: string; readonly messages: string[] };

/** `count` lines, each ended, of a log that begins at a fixed time. */
export function* generateLog(seed: number, count: number): Generator<string> {
  const random = new Random(seed);
  const open = Array.from({ length: CONNECTIONS_AT_ONCE }, () => openConversation(random));
  for (let index = 0; index < count; index++) {
    const place = random.below(open.length);
    const conversation = open[place] ?? openConversation(random);
    const message = conversation.messages.shift() ?? '';
    if (conversation.messages.length === 0) open[place] = openConversation(random);
    const at = FIRST_LINE_AT + Math.floor((index / count) * LOG_HOURS * HOUR_MILLISECONDS);
    yield `${formatTime(at)} web1 ${conversation.tag}: ${message}\n`;
  }
}

/** RFC 3164: `Mar  5 04:12:33`. */
export function formatTime(at: number): string {
  const date = new Date(at);
  const day = String(date.getUTCDate()).padStart(2, ' ');
  return `${MONTHS[date.getUTCMonth()]} ${day} ${date.toISOString().slice(11, 19)}`;
}

function openConversation(random: Random): Conversation {
  return random.chance(0.9) ? openConnection(random) : other(random, randomProcess(random));
}

/** What sshd writes about one client. */
export function openConnection(random: Random): Conversation {
  const tag = `sshd[${randomProcess(random)}]`;
  const kind = random.next();
  if (kind < 0.42) return { tag, messages: unknownUser(random) };
  if (kind < 0.69) return { tag, messages: wrongPassword(random) };
  if (kind < 0.84) return { tag, messages: scan(random) };
  return { tag, messages: login(random) };
}

function unknownUser(random: Random): string[] {
  const { address, port } = attacker(random);
  const user = random.pick(ATTACKED_USERS);
  return [
    `Invalid user ${user} from ${address} port ${port}`,
    'pam_unix(sshd:auth): check pass; user unknown',
    `pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${address} `,
    `Failed password for invalid user ${user} from ${address} port ${port} ssh2`,
    ...leave(random, `invalid user ${user}`, address, port),
  ];
}

function wrongPassword(random: Random): string[] {
  const { address, port } = attacker(random);
  const tries = 1 + random.below(3);
  return [
    `pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=${address}  user=root`,
    ...Array.from({ length: tries }, () => `Failed password for root from ${address} port ${port} ssh2`),
    ...leave(random, 'authenticating user root', address, port),
  ];
}

function leave(random: Random, who: string, address: string, port: number): string[] {
  if (random.chance(0.5)) return [`Connection closed by ${who} ${address} port ${port} [preauth]`];
  return [
    `Received disconnect from ${address} port ${port}:11: Bye Bye [preauth]`,
    `Disconnected from ${who} ${address} port ${port} [preauth]`,
  ];
}

function scan(random: Random): string[] {
  const { address, port } = attacker(random);
  const kind = random.below(4);
  if (kind === 0) return [`Connection closed by ${address} port ${port} [preauth]`];
  if (kind === 1) return [`banner exchange: Connection from ${address} port ${port}: invalid format`];
  if (kind === 2) {
    return [
      'error: kex_exchange_identification: Connection closed by remote host',
      `Connection closed by ${address} port ${port}`,
    ];
  }
  const offer = 'diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1';
  return [
    `Unable to negotiate with ${address} port ${port}: no matching key exchange method found. Their offer: ${offer} [preauth]`,
  ];
}

function login(random: Random): string[] {
  const user = random.pick(HONEST_USERS);
  const address = `192.0.2.${1 + random.below(250)}`;
  const port = randomPort(random);
  const key = `ED25519 SHA256:nThbg6kXUpJWGl7E1IGOCspRomTxdCARLviKw6E5SY${random.below(10)}`;
  return [
    `Accepted publickey for ${user} from ${address} port ${port} ssh2: ${key}`,
    `pam_unix(sshd:session): session opened for user ${user}(uid=1000) by (uid=0)`,
    `Received disconnect from ${address} port ${port}:11: disconnected by user`,
    `Disconnected from user ${user} ${address} port ${port}`,
    `pam_unix(sshd:session): session closed for user ${user}`,
  ];
}

function other(random: Random, pid: number): Conversation {
  const user = random.pick(HONEST_USERS);
  const kind = random.below(3);
  if (kind === 0) {
    return {
      tag: `CRON[${pid}]`,
      messages: [
        'pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)',
        'pam_unix(cron:session): session closed for user root',
      ],
    };
  }
  if (kind === 1) {
    return {
      tag: 'sudo',
      messages: [
        `   ${user} : TTY=pts/0 ; PWD=/home/${user} ; USER=root ; COMMAND=/usr/bin/systemctl reload nginx`,
        `pam_unix(sudo:session): session opened for user root(uid=0) by ${user}(uid=1000)`,
        'pam_unix(sudo:session): session closed for user root',
      ],
    };
  }
  const session = 1 + random.below(9_000);
  return {
    tag: `systemd-logind[${600 + random.below(5)}]`,
    messages: [
      `New session ${session} of user ${user}.`,
      `Session ${session} logged out. Waiting for processes to exit.`,
    ],
  };
}

/** One in ten comes over IPv6. The networks are those for benchmarks and for documentation (RFC 2544, RFC 3849). */
export function attacker(random: Random): { readonly address: string; readonly port: number } {
  const index = Math.floor(ATTACKER_COUNT * random.next() ** 3);
  const port = randomPort(random);
  if (index % 10 === 9) return { address: `2001:db8:${index.toString(16)}::${(index % 7) + 1}`, port };
  return { address: `198.${18 + (index & 1)}.${(index >> 1) & 255}.${((index >> 9) & 255) + 1}`, port };
}

function randomProcess(random: Random): number {
  return 1_000 + random.below(60_000);
}

export function randomPort(random: Random): number {
  return 1_024 + random.below(64_000);
}
