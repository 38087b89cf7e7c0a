/** What an event says in the daemon's own log. Pure: an event gives one line with its fields, or none. */

import { unreachable } from '../../core/errors.ts';
import type { BailiffEvent, EventOf } from '../../core/event.ts';
import type { Cause } from '../../core/ledger/decision.ts';
import { printable } from '../../core/text/printable.ts';
import { FOREVER, formatDuration, formatInstant } from '../../core/time.ts';
import { kindOfWarning } from '../../core/warning/catalogue.ts';

/** The severities of RFC 5424 that are used here, with their numbers. */
export type Severity = 'error' | 'warning' | 'notice' | 'info';
export const SEVERITY_NUMBERS: Readonly<Record<Severity, number>> = {
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
};

export type LogLine = {
  readonly severity: Severity;
  /** One line, printable whatever the event holds. */
  readonly message: string;
  /** Identifies this kind of line for `journalctl MESSAGE_ID=` (systemd.journal-fields(7)). */
  readonly messageId: string;
  /** Further fields of the journal entry, such as BAILIFF_ADDRESS; names are valid field names. */
  readonly fields: Readonly<Record<string, string>>;
};

/** Longest excerpt of an attacker's text in a line. */
const MAX_EXCERPT_LENGTH = 64;

const CAUSES: Readonly<Record<Cause, string>> = {
  offence: 'offence',
  operator: 'by the operator',
  restore: 'found in the kernel',
  expiry: 'its time is over',
  reload: 'the new configuration spares it',
  eviction: 'made room for another, see [limits] max_bans',
};

/** The line for an event; null for what only the metrics tell. */
export function logLineOf(event: BailiffEvent): LogLine | null {
  switch (event.kind) {
    case 'started':
      return line('notice', `bailiff ${event.version} starts`, '3fa8145b6de2475b813c8ca511c44588');
    case 'ready':
      return line('notice', 'ready', 'd51e7152ff5c4c16854f6cbda54432f6');
    case 'stopping':
      return line(
        'notice',
        `stopping: ${event.reason}; bans in the kernel stay`,
        '45ab490152df4c8fb86faa0685c6a6fb',
      );
    case 'component':
      return describeComponent(event);
    case 'warning-began':
    case 'warning-ended':
      return describeWarning(event);
    case 'clock-set':
      return line(
        'warning',
        `the clock of this machine was set ${event.step > 0 ? 'forward' : 'back'} by ${formatDuration(Math.abs(event.step))}`,
        '7a1e5c3d90b84f62a4d7f03b6c28e915',
      );
    case 'part-failed':
      return line(
        'error',
        `${event.part} ${event.message}${event.advice === '' ? '' : `; ${event.advice}`}`,
        '5d7f0a4f9d8c4a0cb64a1e0f1f4f2d63',
        { BAILIFF_PART: event.part },
      );
    case 'failure':
      return describeFailure(event);
    case 'ignored':
      return line(
        'info',
        `ignored a failure of ${event.address} in ${event.jail}: ${describeExemption(event.reason)}`,
        '9ec93ce61cc949a6b90385294cdc4221',
        { BAILIFF_ADDRESS: event.address, BAILIFF_JAIL: event.jail },
      );
    case 'ban':
      return describeBan(event, `banned ${event.ban.offender}`, '92324081f028486f892ba056906c1fa5');
    case 'extend':
      return describeBan(
        event,
        `extended the ban of ${event.ban.offender}`,
        'ee78533f23784f7f851b54321fe6421d',
      );
    case 'unban':
      return line(
        'notice',
        `unbanned ${event.ban.offender} in ${event.ban.jail}: ${CAUSES[event.cause]}${describeLack(event)}`,
        '3c2f4c727a6f4f08ab3455ca96ca2ee7',
        {
          BAILIFF_ADDRESS: event.ban.offender,
          BAILIFF_JAIL: event.ban.jail,
          BAILIFF_CAUSE: event.cause,
          ...lackField(event),
        },
      );
    case 'forgive':
      return line(
        'notice',
        `forgot the failures of ${event.offender} in ${event.jail}`,
        '109fec256e0f404d90787da03b44b1ec',
        { BAILIFF_ADDRESS: event.offender, BAILIFF_JAIL: event.jail },
      );
    case 'rejected':
      return line(
        'warning',
        `dropped ${count(event.count, 'record')} from ${event.sender || 'this host'} (${event.source}): ${event.reason}`,
        '8ae3fda6fdaa40278ed3595eb0f618f7',
        { BAILIFF_SENDER: event.sender },
      );
    case 'kernel-loss':
      return line(
        'warning',
        `the kernel dropped ${count(event.count, 'datagram')} for ${event.listener}: raise net.core.rmem_max`,
        'ef98f9a7d0ae409c83adc32a20b13d9d',
      );
    case 'suppressed':
      return line(
        'warning',
        `${event.by} has dropped ${count(event.count, 'message')} of ${event.origin || 'whoever writes there'}${event.sender === '' ? '' : ` on ${event.sender}`} for coming too fast`,
        'b7d1f0c2a94e4c6f8d35e1729ab46c08',
        { BAILIFF_SENDER: event.sender },
      );
    case 'handshake-failed':
      return describeHandshake(event);
    case 'firewall-error':
      return line(
        'error',
        `firewall: ${event.message} (${count(event.elements, 'element')})`,
        'e931a4f96a96430b91e76b77d4c305b6',
      );
    case 'firewall-drift':
      return line('warning', describeDrift(event), '46608de21673498f921ff42452877e7b');
    case 'state-error':
      return line('error', `state: ${event.message}`, '99b78d9b343b4e53aff3d7500cdb65e5');
    case 'journal-gap':
      return line('warning', `journal: ${event.detail}`, 'c5e549333bd14b859167b643ca323cc7');
    case 'limit':
      return line(
        'warning',
        `limit ${event.limit} was hit ${count(event.count, 'time')}: ${event.detail}`,
        '0c80c393eb61484c8b4f40b55414feb3',
      );
    case 'reload':
      return describeReload(event);
    case 'filter-refused':
      return line(
        'error',
        `filter ${event.filter} is refused: ${event.problems[0] ?? ''}`,
        '1c5c2c7fbeea4679bac15fe07dfe35c3',
      );
    case 'sender-change':
      return describeSenderChange(event);
    case 'warning':
    case 'warning-over':
    case 'records':
    case 'sender-activity':
    case 'connection':
    case 'certificate':
    case 'matched':
    case 'refused':
    case 'filter-activity':
    case 'enforced':
    case 'firewall-transaction':
    case 'dropped':
    case 'state-commit':
    case 'journal-lag':
      return null;
    default:
      return unreachable(event);
  }
}

function line(
  severity: Severity,
  message: string,
  messageId: string,
  fields: Readonly<Record<string, string>> = {},
): LogLine {
  return { severity, message: printable(message), messageId, fields };
}

/** A component that does not work says so by its warnings. */
function describeComponent({ component, health, detail }: EventOf<'component'>): LogLine | null {
  if (detail === '') return null;
  return line('info', `${component}: ${detail}`, 'e8f714e51d2c40e4b0d3d3f97742198f', {
    BAILIFF_COMPONENT: component,
    BAILIFF_HEALTH: health,
  });
}

const WARNING_SEVERITIES = { error: 'error', warning: 'warning', hint: 'notice' } as const;

/** What comes of an event with a line of its own has none. */
function describeWarning({ kind, warning }: EventOf<'warning-began' | 'warning-ended'>): LogLine | null {
  const { code, subject, severity, title, text, action } = warning;
  if (kindOfWarning(code).isLoggedAsEvent) return null;
  const fields = { BAILIFF_WARNING: code, BAILIFF_SUBJECT: subject };
  if (kind === 'warning-ended') {
    const which = subject === '' ? '' : ` (${subject})`;
    return line('notice', `over: ${title}${which} [${code}]`, '0c9b1d1c7f6a4b0f9a3e7d52a8c6e4f1', fields);
  }
  const message = `${text} [${code}]; ${action}`;
  return line(WARNING_SEVERITIES[severity], message, 'b2f4a9d06e3c4d8fa7150c9be81d3a62', fields);
}

function describeHandshake(event: EventOf<'handshake-failed'>): LogLine {
  const times = event.count === 1 ? '' : ` ${count(event.count, 'time')}`;
  const advice = event.advice === '' ? '' : `; ${event.advice}`;
  const message = `TLS handshake of ${event.sender || 'several peers'} failed${times}: ${event.detail}${advice}`;
  return line('warning', message, '6cb2c4c53b6f4f0ba4a2e8cf5b0e51d7', {
    BAILIFF_SENDER: event.sender,
    BAILIFF_REASON: event.reason,
  });
}

function describeFailure(event: EventOf<'failure'>): LogLine {
  const user =
    event.user === '' ? '' : ` (user ${JSON.stringify(printable(event.user, MAX_EXCERPT_LENGTH))})`;
  const reached = Math.min(event.count, event.maxRetry);
  const message = `failure ${reached}/${event.maxRetry} of ${event.address} in ${event.jail}${user}`;
  return line('info', message, 'ff8aac41f2be41b88fe0c61191c2d6ad', {
    BAILIFF_ADDRESS: event.address,
    BAILIFF_JAIL: event.jail,
    BAILIFF_FILTER: event.filter,
  });
}

function describeBan(event: EventOf<'ban' | 'extend'>, deed: string, messageId: string): LogLine {
  const { ban } = event;
  const duration = ban.until >= FOREVER ? 'forever' : `for ${formatDuration(ban.until - ban.since)}`;
  const reason = ban.cause === 'offence' ? count(ban.failures, 'failure') : CAUSES[ban.cause];
  return line('notice', `${deed} in ${ban.jail} ${duration} (${reason})${describeLack(event)}`, messageId, {
    BAILIFF_ADDRESS: ban.offender,
    BAILIFF_JAIL: ban.jail,
    BAILIFF_CAUSE: ban.cause,
    BAILIFF_UNTIL: formatInstant(ban.until),
    ...lackField(event),
  });
}

/** Who does not have the change yet, to be put at the end of a line; '' when kernel and disk both do. */
function describeLack({ lacks }: EventOf<'ban' | 'extend' | 'unban'>): string {
  if (lacks.length === 0) return '';
  return `; ${lacks.map((keeper) => (keeper === 'kernel' ? 'not in the kernel' : 'not on the disk')).join(', ')} yet`;
}

function lackField({ lacks }: EventOf<'ban' | 'extend' | 'unban'>): Readonly<Record<string, string>> {
  return lacks.length === 0 ? {} : { BAILIFF_LACKS: lacks.join(',') };
}

function describeExemption(reason: EventOf<'ignored'>['reason']): string {
  switch (reason) {
    case 'ignore':
      return 'it is on the ignore list';
    case 'protected':
      return 'it is trusted, or an address of this host';
    case 'unbannable':
      return 'it is no address of a single far host';
    case 'repeat':
      return 'its sender has delivered it before, over another connection';
    case 'old':
      return 'it is days old by the clock of its sender, whose old_records are not counted';
    case 'sender-jails':
      return 'whoever reported it may not feed this jail';
    default:
      return unreachable(reason);
  }
}

function describeSenderChange(event: EventOf<'sender-change'>): LogLine {
  const isGood = ['returned', 'calm', 'current'].includes(event.change);
  const message = `sender ${event.name || event.sender}: ${event.detail}`;
  return line(isGood ? 'notice' : 'warning', message, '6a0a5a86f6a14a0d9f5e4ae3b1c57c21', {
    BAILIFF_SENDER: event.name || event.sender,
    BAILIFF_CHANGE: event.change,
  });
}

function describeDrift(event: EventOf<'firewall-drift'>): string {
  if (event.tableLost)
    return `firewall: somebody removed the table; it is back with ${count(event.missing, 'element')}`;
  const { missing, surplus, wrongTimeout } = event;
  return `firewall: the kernel differed: ${missing} missing, ${wrongTimeout} with another timeout, ${surplus} unknown`;
}

function describeReload(event: EventOf<'reload'>): LogLine {
  const id = '936ccb6262b6417cbb6301253ab9336e';
  if (event.result === 'applied') return line('notice', `reloaded: ${count(event.jails, 'jail')}`, id);
  return line('error', `reload refused, the old configuration stays: ${event.problems[0] ?? ''}`, id);
}

/** `1 element`, `2 elements`. */
function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
