/** What an event says of warnings: which begin or go on because of it, and which are over. */
import type { BailiffEvent, CertificateRole, EventOf } from '../event.ts';
import { DAY, formatDuration, formatInstant, MINUTE, type Microseconds, SECOND } from '../time.ts';
import { type RaisedWarning, raise, type WarningCode } from './catalogue.ts';
import { actionForLimit } from './limits.ts';

/** What is said of one warning. */
export type WarningChange =
  | { readonly kind: 'raise'; readonly raised: RaisedWarning }
  | { readonly kind: 'clear'; readonly code: WarningCode; readonly subject: string };

/** Behind by more than this the journal is read late. */
export const MAX_JOURNAL_LAG: Microseconds = MINUTE;

/** A clock that is set by less than this was corrected. */
export const MIN_CLOCK_STEP: Microseconds = 10 * SECOND;

/** Certificates are warned of so long before their end. */
export const CERTIFICATE_NOTICE: Microseconds = 21 * DAY;

const CERTIFICATE_NAMES: Readonly<Record<CertificateRole, readonly [name: string, remedy: string]>> = {
  'syslog-server': ['the certificate of the TLS listeners', 'bailiff tls renew makes a new one'],
  'syslog-client-ca': ['an authority in client_ca', 'put a newer one into its file'],
  metrics: ['the certificate of [metrics]', 'put a newer one into its file'],
};

/**
 * What one event begins or ends, for all that is no component's own list. `count` answers how often, this time
 * included, a thing has happened while it was shown.
 */
export function warningsOf(
  event: BailiffEvent,
  count: (key: string, times: number) => number,
): readonly WarningChange[] {
  switch (event.kind) {
    case 'warning':
      return [{ kind: 'raise', raised: event.raised }];
    case 'warning-over':
      return [{ kind: 'clear', code: event.code, subject: event.subject }];
    case 'limit':
      return limitWarnings(event, count);
    case 'kernel-loss': {
      const lost = count(`datagrams-lost ${event.listener}`, event.count);
      return raised(raise('datagrams-lost', { count: lost }, event.listener));
    }
    case 'suppressed':
      return suppressionWarnings(event, count);
    case 'journal-gap':
      return raised(raise('journal-gap', { reason: event.detail }));
    case 'journal-lag':
      if (event.lag < MAX_JOURNAL_LAG) return [{ kind: 'clear', code: 'journal-behind', subject: '' }];
      return raised(raise('journal-behind', { lag: formatDuration(event.lag) }));
    case 'firewall-drift':
      return driftWarnings(event, count);
    case 'firewall-error':
      if (event.elements === 0) return [];
      return raised(raise('elements-refused', { reason: event.message, count: event.elements }));
    case 'sender-change':
      return senderWarnings(event);
    case 'rejected':
      return rejectionWarnings(event, count);
    case 'refused':
      return raised(refusalWarning(event, count(`refused ${event.reason} ${event.filter}`, event.count)));
    case 'ignored': {
      if (event.reason !== 'protected') return [];
      const given = { count: count(`trusted-fails ${event.jail}`, 1), last: event.address };
      return raised(raise('trusted-fails', given, event.jail));
    }
    case 'part-failed':
      return raised(raise('part-failed', { reason: event.message, remedy: event.advice }, event.part));
    case 'clock-set': {
      const { step } = event;
      if (Math.abs(step) < MIN_CLOCK_STEP) return [];
      const length = formatDuration(Math.round(Math.abs(step) / SECOND) * SECOND);
      return raised(raise('clock-jumped', { step: `${step > 0 ? 'forward' : 'back'} by ${length}` }));
    }
    default:
      return [];
  }
}

/** What is to be said of a certificate that ends at `until`; null for one that is used no more. */
export function certificateWarnings(
  role: CertificateRole,
  until: Microseconds | null,
  at: Microseconds,
): readonly WarningChange[] {
  const [name, remedy] = CERTIFICATE_NAMES[role];
  const changes = new Map<WarningCode, WarningChange>(
    (['certificate-ends', 'certificate-ended'] as const).map((code) => [
      code,
      { kind: 'clear', code, subject: name },
    ]),
  );
  if (until !== null && until - at <= CERTIFICATE_NOTICE) {
    const days = Math.floor((until - at) / DAY);
    const date = formatInstant(until).slice(0, 10);
    const code = until <= at ? 'certificate-ended' : 'certificate-ends';
    const when = until <= at ? `on ${date}` : `in ${days} ${days === 1 ? 'day' : 'days'}, on ${date}`;
    changes.set(code, { kind: 'raise', raised: raise(code, { when, remedy }, name) });
  }
  return [...changes.values()];
}

/** What is to be said of entries that no filter reads; of each filter once, so that nobody makes the list grow. */
export function refusalWarning(
  {
    reason,
    filter,
    identifier,
    from,
    container,
  }: Pick<EventOf<'refused'>, 'reason' | 'filter' | 'identifier' | 'from' | 'container'>,
  count: number,
): RaisedWarning {
  if (reason === 'unnamed') return raise('container-unread', { count, container }, filter);
  return raise('records-untrusted', { count, identifier, from, container }, filter);
}

function raised(one: RaisedWarning): readonly WarningChange[] {
  return [{ kind: 'raise', raised: one }];
}

type Count = (key: string, times: number) => number;

function limitWarnings(
  { limit, detail, count: times }: EventOf<'limit'>,
  count: Count,
): readonly WarningChange[] {
  const action = actionForLimit(limit);
  if (action === null) return [];
  return raised(
    raise('limit-hit', { reason: detail, count: count(`limit-hit ${limit}`, times), action }, limit),
  );
}

function driftWarnings(event: EventOf<'firewall-drift'>, count: Count): readonly WarningChange[] {
  if (event.tableLost) return raised(raise('table-removed', { count: count('table-removed ', 1) }));
  const differences = event.missing + event.surplus + event.wrongTimeout;
  if (differences === 0) return [];
  return raised(raise('elements-changed', { count: count('elements-changed ', differences) }));
}

function senderWarnings({
  sender,
  name,
  change,
  detail,
}: EventOf<'sender-change'>): readonly WarningChange[] {
  const subject = name || sender;
  switch (change) {
    case 'silent':
      return raised(raise('sender-silent', { reason: detail }, subject));
    case 'storm':
      return raised(raise('sender-storms', { reason: detail }, subject));
    case 'dialect':
      return raised(raise('sender-dialect', { reason: detail }, subject));
    case 'old':
      return raised(raise('sender-sends-old', { reason: detail }, subject));
    case 'current':
      return [{ kind: 'clear', code: 'sender-sends-old', subject }];
    case 'returned':
      return [{ kind: 'clear', code: 'sender-silent', subject }];
    default:
      return [{ kind: 'clear', code: 'sender-storms', subject }];
  }
}

function suppressionWarnings(event: EventOf<'suppressed'>, count: Count): readonly WarningChange[] {
  const { by, sender, origin } = event;
  const subject = sender === '' ? origin : `${sender} ${origin}`.trim();
  return raised(
    raise(
      'messages-suppressed',
      { by, origin, count: count(`messages-suppressed ${by} ${subject}`, event.count) },
      subject,
    ),
  );
}

function rejectionWarnings(event: EventOf<'rejected'>, count: Count): readonly WarningChange[] {
  if (event.reason !== 'unknown-sender' || event.sender === '') return [];
  return raised(
    raise('senders-refused', { count: count('senders-refused ', event.count), last: event.sender }),
  );
}
