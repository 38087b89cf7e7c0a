/**
 * Every key of the configuration, once: its type, default, unit, meaning and an example. Validation, the JSON schema
 * for editors and the manual all come from here.
 */
import * as z from 'zod/mini';
import type { RuleMode } from '../../core/failure.ts';
import { toJsonSchema } from './json-schema.ts';
import { ports } from './ports.ts';
import { senders } from './sender.ts';
import { syslog } from './syslog.ts';
import {
  absolutePath,
  count,
  duration,
  flag,
  type KeyDocumentation,
  key,
  listenAddresses,
  listOf,
  name,
  networks,
  oneOf,
  socketPath,
  table,
} from './values.ts';

/** Jails in one configuration; each is a label of several metrics. */
export const MAX_JAILS = 500;
/** Filters that feed one jail. */
export const MAX_JAIL_FILTERS = 64;

const MODES = ['normal', 'extra', 'aggressive'] as const satisfies readonly RuleMode[];

const daemon = table({
  state_dir: key(z.optional(absolutePath), {
    description:
      'Directory of the database that keeps bans, counts and the position in the journal across restarts. ' +
      'Default: /var/lib/bailiff for root, else $XDG_STATE_HOME/bailiff or ~/.local/state/bailiff.',
    examples: ['/var/lib/bailiff'],
  }),
  socket: key(z.optional(socketPath), {
    description:
      'Unix socket by which the bailiff commands reach the daemon. Default: /run/bailiff/bailiff.sock for root, ' +
      'else $XDG_RUNTIME_DIR/bailiff.sock, or bailiff.sock in the state directory.',
    examples: ['/run/bailiff/bailiff.sock'],
  }),
});

const journal = table({
  enabled: key(z.prefault(flag, true), {
    description: 'Whether to read the journal of systemd-journald.',
    examples: [true],
  }),
  directory: key(z.optional(absolutePath), {
    description: "Read the journal files in this directory instead of the system's journal.",
    examples: ['/var/log/journal/remote'],
  }),
});

const metrics = table({
  listen: key(z.prefault(listenAddresses, ['127.0.0.1:9185']), {
    description:
      'Addresses and ports that serve /metrics, /healthz and /readyz; an empty list for none. Whoever reaches ' +
      'them may read, unless `token_file` says otherwise.',
    examples: [['127.0.0.1:9185']],
  }),
  token_file: key(z.optional(absolutePath), {
    description:
      'File that holds a token of 16 characters or more, which clients must send as "Authorization: Bearer"; only ' +
      '/healthz is open to everybody then. Read again by a reload. Default: no token is asked for.',
    examples: ['/etc/bailiff/metrics.token'],
  }),
  certificate: key(z.optional(absolutePath), {
    description:
      'File with the certificate, and the chain that it needs, in PEM, to serve HTTPS; `key` belongs to it. Read ' +
      'again by a reload. Default: plain HTTP.',
    examples: ['/etc/bailiff/metrics.crt'],
  }),
  key: key(z.optional(absolutePath), {
    description: 'File with the key of `certificate`, in PEM, without a passphrase. Read again by a reload.',
    examples: ['/etc/bailiff/metrics.key'],
  }),
  fail2ban_names: key(z.prefault(flag, false), {
    description:
      "Whether /metrics also shows the jails under the names of fail2ban's exporter (f2b_jail_banned_current and " +
      'so on), for dashboards that were made for those.',
    examples: [true],
  }),
});

const firewall = table({
  backend: key(z.prefault(oneOf('nft', 'dry-run'), 'nft'), {
    description:
      'What enforces bans: nft, the nftables of the kernel; dry-run records them and blocks nobody.',
    examples: ['nft'],
  }),
  table: key(z.prefault(tableName(), 'bailiff'), {
    description: 'Name of the nftables table (family inet) that holds the sets of banned addresses.',
    examples: ['bailiff'],
  }),
});

const trust = table({
  addresses: key(z.prefault(networks, []), {
    description:
      'Addresses and networks that are never banned by any jail, and whose packets pass even when a set holds ' +
      'them. The addresses of this host are trusted always.',
    examples: [['192.0.2.10', '2001:db8:5::/48']],
  }),
});

const limits = table({
  max_offenders: key(z.prefault(count(100, 1_000_000), 100_000), {
    description: 'Offenders whose failures are remembered, for each jail; beyond it the oldest is forgotten.',
    examples: [100_000],
    unit: 'offenders',
  }),
  max_bans: key(z.prefault(count(100, 1_000_000), 100_000), {
    description: 'Bans in force at once, for each jail; beyond it the one that would end first is lifted.',
    examples: [100_000],
    unit: 'bans',
  }),
});

/**
 * What a jail does; each key may stand in [defaults] for all jails and in [jail.NAME] for one, and some in the [jail]
 * of the filter of that name.
 */
export const policy = {
  find_time: policyKey(duration(false), '10m', {
    description: 'Failures that lie within this time of each other count together.',
    examples: ['10m', '1h'],
    unit: 'duration, or seconds',
  }),
  max_retry: policyKey(count(1, 1_000), 5, {
    description: 'That many failures within find_time lead to a ban.',
    examples: [5],
    unit: 'failures',
  }),
  ban_time: policyKey(duration(true), '10m', {
    description: 'How long a ban lasts; "forever" or -1 for one that only `bailiff unban` lifts.',
    examples: ['10m', '1d12h', 'forever'],
    unit: 'duration, or seconds',
  }),
  ignore: policyKey(networks, ['127.0.0.0/8', '::1'], {
    description:
      'Addresses and networks whose failures are not counted. A jail with a list of its own uses only that.',
    examples: [['127.0.0.0/8', '::1', '198.51.100.0/24']],
  }),
  ipv4_prefix: policyKey(count(8, 32), 32, {
    description: 'IPv4 addresses with that many leading bits in common count and are banned as one offender.',
    examples: [32],
    unit: 'bits',
  }),
  ipv6_prefix: policyKey(count(16, 128), 64, {
    description:
      'IPv6 addresses with that many leading bits in common count and are banned as one offender; a customer ' +
      'usually has a whole /64.',
    examples: [64],
    unit: 'bits',
  }),
  mode: policyKey(oneOf(...MODES), 'normal', {
    description:
      'Which rules of the filters apply: normal; extra takes in more kinds of failures; aggressive also what ' +
      'scanners do and honest clients may do rarely.',
    examples: ['normal'],
  }),
};

const defaults = table({
  find_time: policy.find_time.preset,
  max_retry: policy.max_retry.preset,
  ban_time: policy.ban_time.preset,
  ignore: policy.ignore.preset,
  ipv4_prefix: policy.ipv4_prefix.preset,
  ipv6_prefix: policy.ipv6_prefix.preset,
  mode: policy.mode.preset,
});

const jail = table({
  enabled: key(z.prefault(flag, true), { description: 'Whether the jail is in force.', examples: [true] }),
  filters: key(
    z.optional(
      listOf(
        name,
        `expected a list of 1 to ${MAX_JAIL_FILTERS} filter names such as ["sshd"]`,
        MAX_JAIL_FILTERS,
      ).check(z.minLength(1)),
    ),
    {
      description:
        'Filters that find the failures of this jail: files of that name. Default: the name of the jail, and none ' +
        'for the jail manual, which holds what `bailiff ban` bans.',
      examples: [['sshd']],
    },
  ),
  ports: key(z.optional(ports), {
    description:
      'Ban from these ports only: "tcp/22", a service of /etc/services such as "ssh", with the protocols that it has ' +
      'there, or a range such as "8000-8100", which is of tcp unless it says "udp/8000-8100". Default: from the ' +
      'whole host.',
    examples: [['tcp/22'], ['https', 'udp/5060-5061']],
  }),
  find_time: policy.find_time.own,
  max_retry: policy.max_retry.own,
  ban_time: policy.ban_time.own,
  ignore: policy.ignore.own,
  ipv4_prefix: policy.ipv4_prefix.own,
  ipv6_prefix: policy.ipv6_prefix.own,
  mode: policy.mode.own,
});

export const configSchema = table({
  daemon: key(z.prefault(daemon, {}), { description: 'The daemon itself.' }),
  journal: key(z.prefault(journal, {}), { description: 'The journal of systemd-journald as a source.' }),
  syslog: key(z.prefault(syslog, {}), {
    description: 'Syslog from other hosts and programs as a source (RFC 5424, RFC 3164, RFC 6587).',
  }),
  sender: key(z.prefault(senders, []), {
    description:
      'Hosts and networks that send syslog, as [[sender]]: who they are, and what their records may do. Those of ' +
      'several files add up.',
    examples: [[{ name: 'nas1', addresses: ['192.168.1.10'] }]],
  }),
  metrics: key(z.prefault(metrics, {}), { description: 'Metrics for Prometheus.' }),
  firewall: key(z.prefault(firewall, {}), { description: 'What enforces bans.' }),
  trust: key(z.prefault(trust, {}), { description: 'Who can never be banned.' }),
  limits: key(z.prefault(limits, {}), { description: 'Bounds of the memory that attackers can fill.' }),
  defaults: key(z.prefault(defaults, {}), {
    description: 'What holds for each jail that does not say otherwise.',
  }),
  jail: key(z.prefault(z.record(name, jail, { error: 'expected tables such as [jail.sshd]' }), {}), {
    description: 'Jails by name, as [jail.NAME]: which failures lead to which bans.',
    examples: [{ sshd: { max_retry: 5 } }],
  }),
});

/** The configuration with its defaults, lengths of time in microseconds and networks in their canonical form. */
export type Settings = z.output<typeof configSchema>;
export type JailSettings = z.output<typeof jail>;

/** JSON Schema (draft 2020-12) of the configuration as it is written, with descriptions, defaults and examples. */
export function configJsonSchema(): Record<string, unknown> {
  return toJsonSchema(configSchema, 'Configuration of bailiff');
}

/** One key twice: with its default for [defaults], and left to [defaults] when a jail does not set it. */
function policyKey<Schema extends z.ZodMiniType>(
  schema: Schema,
  preset: z.input<Schema>,
  about: KeyDocumentation,
) {
  return {
    preset: key(z.prefault(schema, preset as z.core.input<Schema>), about),
    own: key(z.optional(schema), {
      ...about,
      description: `${about.description} Default: as in [defaults].`,
    }),
  };
}

/** As nftables can name a table without quotes. */
function tableName() {
  return z
    .string({ error: 'expected 1 to 32 of a-z, 0-9 and _, beginning with a letter' })
    .check(z.regex(/^[a-z][a-z0-9_]{0,31}$/));
}
