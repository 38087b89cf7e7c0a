/** Limits that were hit and that somebody should act on; those that only an attacker meets are counted, and no more. */
import type { LimitName } from '../limit.ts';
import { HOUR } from '../time.ts';
import { counted, kindOf } from './entry.ts';

const HTTP_CONNECTIONS_ACTION =
  'see who holds them, ss -xp for the control socket, else ss -tp; let none but Prometheus reach the port of [metrics]';

/** What to do when a limit is hit; null where there is nothing to do. */
const LIMIT_ACTIONS: Readonly<Record<LimitName, string | null>> = {
  offenders: 'raise max_offenders in [limits], or lower find_time',
  bans: 'raise max_bans in [limits], or lower ban_time',
  connections: 'see who holds them, ss -tn; when all are wanted raise max_connections in [syslog]',
  'connections-per-sender':
    'see who holds them, ss -tn; when all are wanted raise max_connections_per_sender in [syslog]',
  'sender-rate':
    'raise max_messages_per_second of the [[sender]], or see why it says so much: bailiff senders',
  handshakes: null,
  'idle-time': null,
  'message-length': 'raise max_message_bytes in [syslog]',
  sessions: 'see which service opens so many: bailiff status --json',
  'kept-sessions': null,
  refusals: null,
  deliveries: null,
  backlog: 'send less, or over TCP: bailiff senders',
  'firewall-queue': 'bailiff doctor',
  senders: null,
  'http-connections': HTTP_CONNECTIONS_ACTION,
  'http-connections-per-peer': HTTP_CONNECTIONS_ACTION,
  'pipelined-requests': null,
  'unread-answers': 'end the client that asks and does not read; its peer is named',
  'event-listeners': 'close event streams that nobody reads',
};

export const LIMIT_WARNINGS = {
  'limit-hit': kindOf<{ readonly reason: string; readonly count: number; readonly action: string }>({
    severity: 'warning',
    title: 'A limit was hit',
    text: ({ reason, count }, limit) => `${limit}, ${counted(count, 'time')}: ${reason}`,
    action: ({ action }) => action,
    explanation:
      'Every queue and map has a limit with a chosen victim, so that no flood takes the memory. The subject says which one: raise it when the machine has the memory, or see who causes it.',
    holdFor: HOUR,
    isLoggedAsEvent: true,
  }),
};

/** What a person should do about a limit; null where the daemon has done all there is to do. */
export function actionForLimit(limit: LimitName): string | null {
  return LIMIT_ACTIONS[limit];
}
