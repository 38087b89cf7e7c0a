/**
 * The commands of fail2ban-client, each put to the daemon of bailiff and answered in the words of fail2ban. A command
 * that would change a jail is refused: jails are changed in the configuration only.
 */
import { parseNetwork } from '../../core/address/address.ts';
import { PrefixSet } from '../../core/address/prefix-set.ts';
import { OperationalError } from '../../core/errors.ts';
import { printable } from '../../core/text/printable.ts';
import type {
  BanListReport,
  BanReport,
  JailStatusReport,
  LiftReport,
  ReloadReport,
  StatusReport,
} from '../../http/control.ts';
import { type DaemonRequest, pathOf } from '../client.ts';
import {
  type Flavor,
  offendersOf,
  pythonList,
  pythonText,
  renderBanWithTime,
  renderEveryStatus,
  renderJailStatus,
  renderServerStatus,
  renderStatistics,
  renderTree,
  soonestFirst,
} from './output.ts';

/** The release of fail2ban whose output this is, as `version` and `-V` tell: what programs that ask decide by. */
export const FAIL2BAN_VERSION = '1.1.0';

/** Puts one request to the daemon; throws OperationalError, see askDaemon. */
export type Ask = <Report>(request: DaemonRequest) => Promise<Report>;

/** A command that failed, as fail2ban would say it. */
export class Refusal extends Error {
  /** For standard output; null when the log line on standard error is all there is. */
  readonly shown: string | null;

  constructor(message: string, shown: string | null = message) {
    super(message);
    this.name = 'Refusal';
    this.shown = shown;
  }
}

type Command = (words: readonly string[], ask: Ask) => Promise<string>;

const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['ping', async (_words, ask) => `Server replied: ${(await ask<{ answer: string }>(get('ping'))).answer}`],
  ['version', async (_words, ask) => ask(get('version')).then(() => FAIL2BAN_VERSION)],
  ['status', status],
  ['stats', statistics],
  ['statistics', statistics],
  ['banned', banned],
  ['get', getProperty],
  ['set', setProperty],
  ['unban', unban],
  ['reload', reload],
  ['restart', restart],
  ['start', start],
  ['stop', stop],
  ['add', async () => refuse(JAILS_ARE_CONFIGURED)],
  ['echo', async (words) => printable(words.join(' '))],
  // Its log is the journal's; logrotate asks for this all the same.
  ['flushlogs', async () => 'logs: flushed'],
]);

const JAILS_ARE_CONFIGURED =
  'bailiff changes jails in its configuration only: edit a file in /etc/bailiff/conf.d, then reload';

/** The answer for standard output. Throws Refusal, or OperationalError when the daemon cannot be asked. */
export function answer(words: readonly string[], ask: Ask): Promise<string> {
  const command = COMMANDS.get(words[0] ?? '');
  if (command === undefined) throw new Refusal('Invalid command');
  return command(words.slice(1), ask);
}

function get(...parts: string[]): DaemonRequest {
  return { method: 'GET', path: pathOf(parts) };
}

function refuse(message: string): never {
  throw new Refusal(message);
}

/** What Python says where a word is missing, and what the client makes of it. */
function missingWord(): never {
  throw new Refusal('list index out of range', 'Sorry but the command is invalid');
}

async function askJail(name: string, ask: Ask): Promise<JailStatusReport> {
  const { jails } = await ask<StatusReport>(get('status'));
  if (!jails.some((jail) => jail.name === name)) {
    throw new Refusal(name, `Sorry but the jail '${name}' does not exist`);
  }
  return ask<JailStatusReport>(get('jails', name));
}

/** Sorted by their names. */
async function askEveryJail(ask: Ask): Promise<readonly JailStatusReport[]> {
  const { jails } = await ask<StatusReport>(get('status'));
  const names = jails.map(({ name }) => name).sort();
  return Promise.all(names.map((name) => ask<JailStatusReport>(get('jails', name))));
}

async function status(words: readonly string[], ask: Ask): Promise<string> {
  const [jail, flavor] = words;
  if (words.length > 2) throw new Refusal('Invalid command (no status)');
  if (jail === undefined) return renderServerStatus((await ask<StatusReport>(get('status'))).jails);
  const shown: Flavor = flavor === 'short' || flavor === 'cymru' ? flavor : 'basic';
  if (jail === '--all') return renderEveryStatus(await askEveryJail(ask), shown);
  return renderJailStatus(await askJail(jail, ask), shown);
}

async function statistics(_words: readonly string[], ask: Ask): Promise<string> {
  return renderStatistics(await askEveryJail(ask));
}

/** Without addresses, every jail and whom it bans; else for each address the jails that ban it. */
async function banned(addresses: readonly string[], ask: Ask): Promise<string> {
  const { jails } = await ask<StatusReport>(get('status'));
  const { bans } = await ask<BanListReport>(get('bans'));
  const byJail = jails.map(({ name }) => ({ name, bans: bans.filter((ban) => ban.jail === name) }));
  if (addresses.length === 0) {
    return pythonList(byJail.map(({ name, bans }) => `{${pythonText(name)}: ${listOffenders(bans)}}`));
  }
  const lists = addresses.map((address) => {
    const holders = byJail.filter(({ bans }) => isBanned(address, bans));
    return pythonList(holders.map(({ name }) => pythonText(name)));
  });
  return pythonList(lists);
}

function listOffenders(bans: readonly BanReport[]): string {
  return pythonList(offendersOf(bans).map(pythonText));
}

/** An address is also banned by the ban of a network that holds it. */
function isBanned(text: string, bans: readonly BanReport[]): boolean {
  const network = parseNetwork(text);
  if (network === null) return false;
  if (bans.some((ban) => ban.offender === network)) return true;
  if (network.includes('/')) return false;
  const networks = bans.flatMap((ban) => (ban.offender.includes('/') ? [parseNetwork(ban.offender)] : []));
  return new PrefixSet(networks.filter((known) => known !== null)).has(network);
}

/** Settings of fail2ban's server for which there is nothing here. */
const SERVER_SETTINGS = [
  'loglevel',
  'logtarget',
  'syslogsocket',
  'allowipv6',
  'thread',
  'dbfile',
  'dbmaxmatches',
  'dbpurgeage',
];

type Property = (report: JailStatusReport, words: readonly string[]) => string;

const PROPERTIES: ReadonlyMap<string, Property> = new Map<string, Property>([
  ['bantime', ({ banTimeSeconds }) => String(banTimeSeconds ?? -1)],
  ['findtime', ({ findTimeSeconds }) => String(findTimeSeconds)],
  ['maxretry', ({ maxRetry }) => String(maxRetry)],
  ['ignoreip', renderIgnored],
  // Own addresses are never banned, and names are never resolved.
  ['ignoreself', () => 'True'],
  ['usedns', () => 'no'],
  ['logpath', () => 'No file is currently monitored'],
  ['actions', ({ name }) => `The jail ${name} has the following actions:\nnftables`],
  ['banip', renderBanList],
  ['banned', renderBanned],
]);

/** Properties of fail2ban's jails that ours do not have. */
const OTHER_PROPERTIES: ReadonlySet<string> = new Set([
  'logencoding',
  'journalmatch',
  'ignorecommand',
  'ignorecache',
  'prefregex',
  'failregex',
  'ignoreregex',
  'datepattern',
  'logtimezone',
  'maxmatches',
  'maxlines',
  'action',
  'actionproperties',
  'actionmethods',
]);

/** `bantime.increment` and its like too. */
function isOtherProperty(name: string): boolean {
  return OTHER_PROPERTIES.has(name) || name.startsWith('bantime.');
}

async function getProperty(words: readonly string[], ask: Ask): Promise<string> {
  const [jail, property, ...rest] = words;
  if (jail !== undefined && SERVER_SETTINGS.includes(jail)) return refuse(`bailiff has no ${jail}`);
  if (jail === undefined || property === undefined) return missingWord();
  const render = PROPERTIES.get(property);
  if (render !== undefined) return render(await askJail(jail, ask), rest);
  if (isOtherProperty(property)) return refuse(`bailiff has no ${property} for a jail`);
  return refuse('Invalid command (no get action or not yet implemented)');
}

function renderIgnored({ ignore }: JailStatusReport): string {
  if (ignore.length === 0) return 'No IP address/network is ignored';
  return renderTree('These IP addresses/networks are ignored:', ignore);
}

function renderBanList({ bans }: JailStatusReport, [separator = ' ']: readonly string[]): string {
  const sorted = soonestFirst(bans);
  return separator === '--with-time'
    ? sorted.map(renderBanWithTime).join('\n')
    : sorted
        .map((ban) => printable(ban.offender))
        .join(separator.replace(/[^\t\n]+/g, (text) => printable(text)));
}

function renderBanned({ bans }: JailStatusReport, addresses: readonly string[]): string {
  if (addresses.length === 0) return listOffenders(bans);
  const flags = addresses.map((address) => (isBanned(address, bans) ? '1' : '0'));
  return flags.length === 1 ? (flags[0] ?? '') : pythonList(flags);
}

async function setProperty(words: readonly string[], ask: Ask): Promise<string> {
  const [jail, property, ...rest] = words;
  if (jail !== undefined && SERVER_SETTINGS.includes(jail)) return refuse(`bailiff has no ${jail}`);
  if (jail === undefined || property === undefined) return missingWord();
  if (property === 'banip') return banAddresses(jail, rest, ask);
  if (property === 'unbanip') return unbanAddresses(jail, rest, ask);
  await askJail(jail, ask);
  const known = PROPERTIES.has(property) || isOtherProperty(property);
  if (known || /^(?:add|del|idle$|attempt$)/.test(property)) return refuse(JAILS_ARE_CONFIGURED);
  return refuse(`Invalid command ${pythonText(property)} (no set action or not yet implemented)`);
}

/** How many were not banned before. What is ignored or trusted here cannot be banned, which fails. */
async function banAddresses(jail: string, addresses: readonly string[], ask: Ask): Promise<string> {
  const held = new Set((await askJail(jail, ask)).bans.map((ban) => ban.offender));
  const refusals: string[] = [];
  let added = 0;
  for (const address of addresses) {
    const ban = await ask<BanReport>({
      method: 'POST',
      path: pathOf(['bans']),
      body: { address, jail },
    }).catch((error) => refusals.push(messageOf(error)));
    if (typeof ban === 'number' || held.has(ban.offender)) continue;
    held.add(ban.offender);
    added += 1;
  }
  return refusals.length === 0 ? String(added) : refuse(refusals.join('; '));
}

/** How many were banned. Those that were not are no failure, unless that is asked for. */
async function unbanAddresses(jail: string, words: readonly string[], ask: Ask): Promise<string> {
  const reportsAbsent = words[0] === '--report-absent';
  const addresses = reportsAbsent ? words.slice(1) : words;
  if (words.length === 0) return missingWord();
  await askJail(jail, ask);
  const absent: string[] = [];
  let lifted = 0;
  for (const address of addresses) {
    const count = await lift(address, jail, ask);
    if (count === 0) absent.push(address);
    lifted += count;
  }
  if (reportsAbsent && absent.length > 0) return refuse(`not banned: ${pythonList(absent.map(pythonText))}`);
  return String(lifted);
}

async function unban(words: readonly string[], ask: Ask): Promise<string> {
  if (words.length === 0) throw new Refusal('Invalid command');
  if (words.length === 1 && words[0] === '--all') return String(await liftAll(null, ask));
  let lifted = 0;
  for (const address of words) lifted += await lift(address, null, ask);
  return String(lifted);
}

async function lift(address: string, jail: string | null, ask: Ask): Promise<number> {
  if (parseNetwork(address) === null) return 0;
  try {
    const path = pathOf(['bans', address], { jail });
    return (await ask<LiftReport>({ method: 'DELETE', path })).lifted.length;
  } catch (error) {
    // Of fail2ban's answers a number comes nearest.
    if (error instanceof OperationalError && error.code === 'held-by-network') return 0;
    throw error;
  }
}

async function liftAll(jail: string | null, ask: Ask): Promise<number> {
  return (await ask<LiftReport>({ method: 'DELETE', path: pathOf(['bans'], { all: 'true', jail }) })).lifted
    .length;
}

/** The configuration is read as a whole; a jail that is named must be there afterwards. */
async function reload(words: readonly string[], ask: Ask): Promise<string> {
  const options = words.filter((word) => ['--restart', '--unban', '--if-exists'].includes(word));
  const names = words.filter((word) => !options.includes(word));
  if (names.length > 1) {
    throw new Refusal(`Unexpected argument(s) for reload: ${pythonList(names.map(pythonText))}`, null);
  }
  const report = await ask<ReloadReport>({ method: 'POST', path: pathOf(['reload']) });
  if (!report.applied) {
    throw new Refusal(`Failed during configuration: ${report.problems.join('; ')}`, null);
  }
  const [name = '--all'] = names;
  const jail = name === '--all' ? null : name;
  if (jail !== null && !report.jails.includes(jail)) {
    if (options.includes('--if-exists')) return 'OK';
    throw new Refusal(`Failed during configuration: No section: ${pythonText(jail)}`, null);
  }
  if (options.includes('--unban')) await liftAll(jail, ask);
  return 'OK';
}

async function restart(words: readonly string[], ask: Ask): Promise<string> {
  if (words.length > 0) return reload(['--restart', ...words], ask);
  throw new Refusal('bailiff is restarted by systemd: systemctl restart bailiff', null);
}

async function start(words: readonly string[], ask: Ask): Promise<string> {
  if (words.length > 0) return refuse(JAILS_ARE_CONFIGURED);
  const isRunning = await ask(get('ping')).then(
    () => true,
    () => false,
  );
  const message = isRunning
    ? 'Server already running'
    : 'bailiff is started by systemd: systemctl start bailiff';
  throw new Refusal(message, null);
}

async function stop(words: readonly string[]): Promise<string> {
  if (words.length > 0) return refuse(JAILS_ARE_CONFIGURED);
  throw new Refusal('bailiff is stopped by systemd: systemctl stop bailiff; its bans stay in force', null);
}

function messageOf(error: unknown): string {
  if (error instanceof OperationalError) return error.message;
  throw error;
}
