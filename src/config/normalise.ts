/** From settings that are right each by itself to the Plan: what one key means for another is decided here. */
import { resolve } from 'node:path';
import { bitsOf, familyOf, type Network, parseAddress, splitNetwork } from '../core/address/address.ts';
import { PrefixSet } from '../core/address/prefix-set.ts';
import { type JailPolicy, MANUAL_JAIL } from '../core/ledger/policy.ts';
import { warnOfBlindJails } from './blind-jails.ts';
import { nodeAt, type Path, placeOf, placeOfKey, type TableNode } from './document/document.ts';
import { nearest } from './document/nearest.ts';
import { formatProblemLine, type Problem, problemAt, problemOfFile, quote } from './document/problem.ts';
import { Report } from './document/report.ts';
import type { LoadedFilters } from './filters/filter-file.ts';
import { resolvePorts, type Services } from './jail-ports.ts';
import { planSenders, trustedSenders } from './normalise-senders.ts';
import { planSyslog } from './normalise-syslog.ts';
import type { DefaultPaths } from './paths.ts';
import type { JailPlan, ListenAddress, MetricsPlan, Plan, Refused } from './plan.ts';
import { type JailSettings, MAX_JAILS, type Settings } from './schema/settings.ts';
import { isSocketPath, MAX_SOCKET_PATH_BYTES } from './schema/values.ts';

/** What the command line says instead of the file. Relative paths are of the current directory. */
export type Overrides = {
  readonly stateDir?: string | undefined;
  readonly socket?: string | undefined;
  readonly dryRun?: boolean | undefined;
};

export type NormaliseInput = {
  readonly settings: Settings;
  /** What `settings` were read from. */
  readonly root: TableNode;
  /** Whether something at `path` was left out of `settings` because it was wrong; nothing follows from it then. */
  readonly isFaulty: (path: Path) => boolean;
  readonly filters: LoadedFilters;
  /** What services(5) calls ports. */
  readonly services: () => Services;
  readonly paths: DefaultPaths;
  readonly overrides: Overrides;
};

export type Normalised = {
  readonly plan: Plan;
  /** With any of these the plan is not to be used. */
  readonly problems: readonly Problem[];
  /** What stays out while the rest of the plan is right. */
  readonly refusals: readonly Problem[];
  readonly warnings: readonly Problem[];
};

/** A jail as it is written, whether or not it can work. */
export type KnownJail = Pick<JailPolicy, 'name' | 'maxRetry' | 'findTime' | 'banTime'> & {
  readonly isEnabled: boolean;
  readonly filters: readonly string[];
};

/** Prefixes shorter than these ban more than one customer's network; worth a warning. */
const SUSPICIOUS_IPV4_PREFIX = 24;
const SUSPICIOUS_IPV6_PREFIX = 48;

export function normalise(input: NormaliseInput): Normalised {
  const report = new Report(input.root);
  const { settings } = input;
  checkListeners(settings, report);
  checkNetworks(settings, report);
  checkSources(settings, report);
  checkPrefixes(settings, report);
  const { jails, refusedJails } = planJails(input, report);
  const plan: Plan = {
    ...planPaths(input, report),
    journal: { enabled: settings.journal.enabled, directory: settings.journal.directory ?? null },
    syslog: planSyslog(settings.syslog, input.isFaulty, report),
    senders: planSenders(settings, input.isFaulty, report),
    metrics: planMetrics(input, report),
    firewall: {
      backend: input.overrides.dryRun === true ? 'dry-run' : settings.firewall.backend,
      table: settings.firewall.table,
    },
    trust: [...new Set([...settings.trust.addresses, ...trustedSenders(settings)])],
    limits: { maxOffenders: settings.limits.max_offenders, maxBans: settings.limits.max_bans },
    jails,
    filters: input.filters.filters,
    refusedFilters: input.filters.refused.map(({ name, problems }) => ({
      name,
      problems: problems.map(formatProblemLine),
    })),
    refusedJails,
  };
  warnOfBlindJails(plan, report);
  const { problems, refusals, warnings } = report;
  return { plan: freeze(plan), problems, refusals, warnings };
}

/** Where the state is; without settings, as the options and the system have it. */
export function stateDirectoryOf(
  settings: Settings | null,
  paths: DefaultPaths,
  overrides: Overrides,
): string {
  return resolve(overrides.stateDir ?? settings?.daemon.state_dir ?? paths.stateDirectory);
}

function planPaths({ settings, paths, overrides, root }: NormaliseInput, report: Report) {
  const stateDirectory = stateDirectoryOf(settings, paths, overrides);
  const socketPath = resolve(overrides.socket ?? settings.daemon.socket ?? paths.socketPath);
  if (!isSocketPath(socketPath)) {
    const option = overrides.socket === undefined ? root.place.source.file : '--socket';
    const reason = `is longer than ${MAX_SOCKET_PATH_BYTES} bytes or holds control characters`;
    report.problems.push(
      problemOfFile(option, `the path of the control socket ${reason}: ${quote(socketPath)}`),
    );
  }
  return { stateDirectory, socketPath };
}

function planMetrics({ settings, isFaulty }: NormaliseInput, report: Report): MetricsPlan {
  const { listen, token_file, certificate, key, fail2ban_names } = settings.metrics;
  const isWhole = certificate !== undefined && key !== undefined;
  if (certificate !== undefined && key === undefined && !isFaulty(['metrics', 'key'])) {
    report.problem(
      ['metrics', 'certificate'],
      '`certificate` needs `key`, the file of the key that belongs to it',
    );
  }
  if (key !== undefined && certificate === undefined && !isFaulty(['metrics', 'certificate'])) {
    report.problem(
      ['metrics', 'key'],
      '`key` needs `certificate`, the file of the certificate that it belongs to',
    );
  }
  return {
    listen,
    tokenFile: token_file ?? null,
    tls: isWhole ? { certificate, key } : null,
    fail2banNames: fail2ban_names,
  };
}

/** Two listeners of one protocol cannot have the same address and port, nor can one share its port with a wildcard. */
function checkListeners(settings: Settings, report: Report): void {
  const lists = (...paths: readonly [Path, readonly ListenAddress[]][]) =>
    paths.flatMap(([path, list]) => list.map((address, index) => ({ address, path: [...path, index] })));
  const tcp = lists(
    [['syslog', 'tcp'], settings.syslog.tcp],
    [['syslog', 'tls'], settings.syslog.tls],
    [['metrics', 'listen'], settings.metrics.listen],
  );
  for (const listeners of [lists([['syslog', 'udp'], settings.syslog.udp]), tcp]) {
    for (const [index, { address, path }] of listeners.entries()) {
      const other = listeners.slice(0, index).find((earlier) => isTaken(address, earlier.address));
      if (other === undefined) continue;
      const list = `\`${other.path.slice(0, -1).join('.')}\``;
      report.problem(
        path,
        `${formatListen(address)} is taken already: ${list} has ${formatListen(other.address)}`,
      );
    }
  }
}

function isTaken(left: ListenAddress, right: ListenAddress): boolean {
  if (left.port !== right.port || left.port === 0) return false;
  if (left.host === right.host) return true;
  return familyOf(left.host) === familyOf(right.host) && [left.host, right.host].some(isWildcard);
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function formatListen({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Warns about networks that are probably not what was meant. */
function checkNetworks(settings: Settings, report: Report): void {
  const jails = Object.entries(settings.jail);
  const lists: readonly (readonly [Path, readonly Network[], string])[] = [
    [['trust', 'addresses'], settings.trust.addresses, 'nobody can be banned'],
    [['syslog', 'senders'], settings.syslog.senders, 'anybody can have anybody banned'],
    ...settings.sender.map(
      ({ addresses }, index) =>
        [['sender', index, 'addresses'], addresses, 'anybody can have anybody banned'] as const,
    ),
    [['defaults', 'ignore'], settings.defaults.ignore, 'no failure counts'],
    ...jails.map(
      ([name, jail]) => [['jail', name, 'ignore'], jail.ignore ?? [], 'no failure counts'] as const,
    ),
  ];
  for (const [path, networks, consequence] of lists) {
    for (const [index, network] of networks.entries()) {
      const here = [...path, index];
      if (isHuge(network)) report.warning(here, `${quote(network)} ${sizeOf(network)}: ${consequence}`);
      const node = nodeAt(report.root, here);
      const written = node?.kind === 'scalar' ? String(node.value) : network;
      const address = parseAddress(written.split('/')[0] ?? '');
      if (address !== splitNetwork(network).address) {
        report.warning(
          here,
          `${quote(written)} has bits set beyond its prefix: it is read as ${quote(network)}`,
        );
      }
    }
  }
}

/** Whether the network is larger than any that a private one may be: 10.0.0.0/8 and fc00::/7. */
function isHuge(network: Network): boolean {
  return splitNetwork(network).prefixLength < (familyOf(network) === 4 ? 8 : 7);
}

function sizeOf(network: Network): string {
  const { prefixLength } = splitNetwork(network);
  return prefixLength === 0
    ? 'holds every address'
    : `holds 2^${bitsOf(familyOf(network)) - prefixLength} addresses`;
}

function checkSources({ journal, syslog, jail }: Settings, report: Report): void {
  const file = report.root.place.source.file;
  if (
    !journal.enabled &&
    [syslog.udp, syslog.tcp, syslog.tls, syslog.unix].every(({ length }) => length === 0)
  ) {
    report.warnings.push(
      problemOfFile(file, 'nothing is read: the journal is off, and no syslog address is given'),
    );
  }
  if (!Object.entries(jail).some(([name, one]) => one.enabled && filtersOf(name, one).length > 0)) {
    report.warnings.push(problemOfFile(file, 'nobody will be banned: there is no enabled jail'));
  }
  if (syslog.max_connections_per_sender > syslog.max_connections) {
    const path = ['syslog', 'max_connections_per_sender'];
    report.warning(
      path,
      '`max_connections_per_sender` is above `max_connections`: one sender can take them all',
    );
  }
}

function checkPrefixes(settings: Settings, report: Report): void {
  const tables: readonly (readonly [
    Path,
    { ipv4_prefix?: number | undefined; ipv6_prefix?: number | undefined },
  ])[] = [
    [['defaults'], settings.defaults],
    ...Object.entries(settings.jail).map(([name, jail]) => [['jail', name], jail] as const),
  ];
  for (const [path, { ipv4_prefix = 32, ipv6_prefix = 128 }] of tables) {
    if (ipv4_prefix < SUSPICIOUS_IPV4_PREFIX) {
      report.warning([...path, 'ipv4_prefix'], `one attacker has 2^${32 - ipv4_prefix} addresses banned`);
    }
    if (ipv6_prefix < SUSPICIOUS_IPV6_PREFIX) {
      report.warning([...path, 'ipv6_prefix'], `one attacker has a whole /${ipv6_prefix} banned`);
    }
  }
}

/** Every jail that is written somewhere, on or off, by name. */
export function knownJails(settings: Settings): readonly KnownJail[] {
  const { defaults } = settings;
  const known = Object.entries(settings.jail).map(([name, jail]) => ({
    name,
    isEnabled: jail.enabled,
    filters: filtersOf(name, jail),
    maxRetry: jail.max_retry ?? defaults.max_retry,
    findTime: jail.find_time ?? defaults.find_time,
    banTime: jail.ban_time ?? defaults.ban_time,
  }));
  return known.sort((left, right) => (left.name < right.name ? -1 : 1));
}

/** The filters that the enabled jails use. */
export function filtersInUse(settings: Settings): ReadonlySet<string> {
  const enabled = Object.entries(settings.jail).filter(([, jail]) => jail.enabled);
  return new Set(enabled.flatMap(([name, jail]) => filtersOf(name, jail)));
}

function filtersOf(name: string, jail: JailSettings): readonly string[] {
  return [...new Set(jail.filters ?? (name === MANUAL_JAIL ? [] : [name]))];
}

function planJails(input: NormaliseInput, report: Report): { jails: JailPlan[]; refusedJails: Refused[] } {
  const { settings, isFaulty, filters } = input;
  const jails: JailPlan[] = [];
  const refusedJails: Refused[] = [];
  const isManual = ([name]: readonly [string, JailSettings]): number => Number(name === MANUAL_JAIL);
  const entries = Object.entries(settings.jail).sort((left, right) => isManual(left) - isManual(right));
  if (entries.length > MAX_JAILS) report.problem(['jail'], `there are more than ${MAX_JAILS} jails`);
  const ignores = new Map<string, PrefixSet>();
  for (const [name, jail] of entries) {
    if (!jail.enabled) continue;
    const names = filtersOf(name, jail);
    if (isFaulty(['jail', name, 'filters'])) continue;
    const unknown = unknownFilters(name, names, filters, report);
    const refused = names.filter((filter) => filters.refused.some((other) => other.name === filter));
    const policy = {
      ...policyOf(name, jail, settings, ignores),
      ports: planPorts(name, jail, input, report),
    };
    const mode = jail.mode ?? settings.defaults.mode;
    if (unknown.length === 0 && refused.length === 0) jails.push({ policy, filters: names, mode });
    if (refused.length === 0) continue;
    const list = refused.map((filter) => `\`${filter}\``).join(', ');
    const message = `jail \`${name}\` stays out: ${refused.length === 1 ? 'filter' : 'filters'} ${list} cannot be used`;
    const problem = problemAt(placeOfFilters(report.root, name), message);
    report.refusals.push(problem);
    refusedJails.push({ name, problems: [formatProblemLine(problem)] });
  }
  return { jails, refusedJails };
}

/** Reports and returns the names for which there is no file. */
function unknownFilters(
  jail: string,
  names: readonly string[],
  known: LoadedFilters,
  report: Report,
): string[] {
  const all = known.names;
  const unknown = names.filter((name) => !all.includes(name));
  for (const name of unknown) {
    const written = nodeAt(report.root, ['jail', jail, 'filters']);
    const index =
      written?.kind === 'array' ? written.elements.findIndex((node) => scalarOf(node) === name) : -1;
    const meant = nearest(name, all);
    const advice =
      meant === null ? `the filters are ${all.join(', ') || 'none'}` : `did you mean "${meant}"?`;
    const place =
      index < 0 ? placeOfFilters(report.root, jail) : placeOf(report.root, ['jail', jail, 'filters', index]);
    report.problems.push(problemAt(place, `unknown filter ${quote(name)}: ${advice}`));
  }
  return unknown;
}

function scalarOf(node: ReturnType<typeof nodeAt>): unknown {
  return node?.kind === 'scalar' ? node.value : null;
}

/** The list of a jail's filters; its name, when that stands for them. */
function placeOfFilters(root: TableNode, jail: string) {
  const path = ['jail', jail, 'filters'];
  return nodeAt(root, path) === null ? placeOfKey(root, path.slice(0, 2)) : placeOfKey(root, path);
}

/** `ignores` holds the sets that are there already, so that jails with the same list share one. */
function policyOf(
  name: string,
  jail: JailSettings,
  { defaults }: Settings,
  ignores: Map<string, PrefixSet>,
): Omit<JailPolicy, 'ports'> {
  const networks = jail.ignore ?? defaults.ignore;
  const ignore = ignores.get(networks.join()) ?? new PrefixSet(networks);
  ignores.set(networks.join(), ignore);
  return {
    name,
    maxRetry: jail.max_retry ?? defaults.max_retry,
    findTime: jail.find_time ?? defaults.find_time,
    banTime: jail.ban_time ?? defaults.ban_time,
    ignore,
    ipv4PrefixLength: jail.ipv4_prefix ?? defaults.ipv4_prefix,
    ipv6PrefixLength: jail.ipv6_prefix ?? defaults.ipv6_prefix,
  };
}

function planPorts(
  name: string,
  { ports }: JailSettings,
  { services }: NormaliseInput,
  report: Report,
): JailPolicy['ports'] {
  if (ports === undefined) return null;
  const resolved = resolvePorts(ports, services);
  if ('ports' in resolved) return resolved.ports;
  const { index, message } = resolved;
  report.problem(['jail', name, 'ports', ...(index === null ? [] : [index])], message);
  return null;
}

/** Freezes plain data in depth. */
function freeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
