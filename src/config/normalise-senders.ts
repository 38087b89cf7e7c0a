/** From [[sender]] and what [syslog] says of senders to the part of the Plan that says who may send what. */
import { bitsOf, familyOf, type Network, splitNetwork } from '../core/address/address.ts';
import type { SenderPlan, SendersPlan } from '../senders/directory.ts';
import type { MessageRate } from '../senders/message-rate.ts';
import { nodeAt, type Path, placeOf } from './document/document.ts';
import { nearest } from './document/nearest.ts';
import { formatProblemLine, problemAt, quote } from './document/problem.ts';
import type { Report } from './document/report.ts';
import { DEFAULT_BURST_SECONDS, type SenderSettings } from './schema/sender.ts';
import type { Settings } from './schema/settings.ts';

/** The metrics' label of the senders without a name. */
const REST = 'other';

/** `isFaulty` tells what was left out of `settings` because it was wrong; nothing follows from that. */
export function planSenders(
  settings: Settings,
  isFaulty: (path: Path) => boolean,
  report: Report,
): SendersPlan {
  const { syslog, sender: senders } = settings;
  for (const [index, sender] of senders.entries()) {
    checkSender(sender, index, settings, report);
    for (const [position, jail] of (sender.jails ?? []).entries()) {
      if (!isFaulty(['jail', jail]))
        checkJail(jail, ['sender', index, 'jails', position], settings.jail, report);
    }
  }
  checkUnique(
    senders.map(({ name }) => [name]),
    'name',
    report,
  );
  checkUnique(
    senders.map(({ addresses }) => addresses),
    'addresses',
    report,
  );
  checkUnique(
    senders.map(({ certificates }) => certificates),
    'certificates',
    report,
  );
  return {
    networks: syslog.senders,
    udpConfidence: syslog.udp_confidence,
    rate: rateOf(syslog, ['syslog'], report),
    configured: senders.map((sender, index) => planSender(sender, index, report)),
  };
}

/** The networks of senders that can never be banned: a host that was listed by its address is known to be ours. */
export function trustedSenders({ sender: senders }: Settings): readonly Network[] {
  return senders.flatMap(({ addresses, trusted }) =>
    trusted === undefined ? addresses.filter(isSingle) : trusted ? addresses : [],
  );
}

function isSingle(network: Network): boolean {
  const { address, prefixLength } = splitNetwork(network);
  return prefixLength === bitsOf(familyOf(address));
}

function planSender(sender: SenderSettings, index: number, report: Report): SenderPlan {
  return {
    name: sender.name,
    networks: [...new Set(sender.addresses)],
    certificates: [...new Set(sender.certificates)],
    transports: sender.transports,
    isRelay: sender.relay,
    dialect: sender.dialect ?? null,
    jails: sender.jails ?? null,
    confidence: sender.confidence ?? null,
    rate: rateOf(sender, ['sender', index], report),
    silence: sender.silent_after,
    countsOld: sender.old_records === 'count',
  };
}

type RateSettings = Pick<SenderSettings, 'max_messages_per_second' | 'burst_messages'>;

function rateOf(settings: RateSettings, path: Path, report: Report): MessageRate | null {
  const { max_messages_per_second: messagesPerSecond, burst_messages: burst } = settings;
  if (messagesPerSecond !== undefined)
    return { messagesPerSecond, burst: burst ?? messagesPerSecond * DEFAULT_BURST_SECONDS };
  if (burst !== undefined) {
    report.problem([...path, 'burst_messages'], '`burst_messages` needs `max_messages_per_second`');
  }
  return null;
}

function checkSender(sender: SenderSettings, index: number, settings: Settings, report: Report): void {
  const path = ['sender', index];
  const { addresses, certificates } = sender;
  if (addresses.length + certificates.length === 0) {
    report.problem(
      path,
      `sender ${quote(sender.name)} needs \`addresses\` or \`certificates\` to be known by`,
    );
  }
  if (sender.name === REST) {
    report.problem([...path, 'name'], `${quote(REST)} is what the metrics call all who have no name`);
  }
  if (certificates.length > 0 && settings.syslog.tls_server?.client_ca === undefined) {
    report.warning(
      [...path, 'certificates'],
      'nobody is asked for a certificate: [syslog.tls_server] has no `client_ca`',
    );
  }
}

function checkJail(name: string, path: Path, jails: Settings['jail'], report: Report): void {
  const jail = Object.hasOwn(jails, name) ? jails[name] : undefined;
  if (jail === undefined) {
    const known = Object.keys(jails);
    const meant = nearest(name, known);
    const advice =
      meant === null ? `the jails are ${known.join(', ') || 'none'}` : `did you mean "${meant}"?`;
    report.problem(path, `unknown jail ${quote(name)}: ${advice}`);
  } else if (!jail.enabled) report.warning(path, `jail ${quote(name)} is not enabled`);
}

/** What two senders share could be either's. `lists` has the values of each sender. */
function checkUnique(
  lists: readonly (readonly string[])[],
  what: 'name' | 'addresses' | 'certificates',
  report: Report,
): void {
  const owners = new Map<string, Path>();
  for (const [index, list] of lists.entries()) {
    for (const [position, value] of list.entries()) {
      const whole = ['sender', index, what];
      const path = what === 'name' ? whole : [...whole, position];
      const owner = owners.get(value);
      if (owner === undefined) owners.set(value, path);
      else if (owner[1] !== index)
        report.problem(path, `${quote(value)} is taken: ${whereIs(owner, report)}`);
      else report.warning(path, `${quote(value)} is there already`);
    }
  }
}

/** `/etc/bailiff/conf.d/sender-nas1.toml:3:8`, and whose it is. */
function whereIs(path: Path, { root }: Report): string {
  const node = nodeAt(root, [...path.slice(0, 2), 'name']);
  const name = node?.kind === 'scalar' ? String(node.value) : '';
  const place = formatProblemLine(problemAt(placeOf(root, path), '')).replace(/: $/, '');
  return `sender ${quote(name)} has it, ${place}`;
}
