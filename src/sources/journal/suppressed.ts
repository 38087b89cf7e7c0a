/**
 * What journald says it has not kept: a service that writes more than its rate (RateLimitBurst= of journald.conf(5),
 * LogRateLimitBurst= of systemd.exec(5)) loses the rest, and the next entry after the interval is journald's own word
 * of how many. Written by systemd 252 with MESSAGE_ID a596d6fe7bfa4994828e72309e95d61e (sd-messages.h).
 */
import { JournalField, type JournalReader } from '../../native/journal-reader.ts';
import type { ShortFields } from './short-fields.ts';

/** What such an entry is called, as are others. */
export const JOURNALD_IDENTIFIER = 'systemd-journald';

/** Has these entries read, whatever else is: nobody else can write the field. */
export const JOURNALD_MATCH = '_TRANSPORT=driver';

export type Suppressed = { readonly unit: string; readonly count: number };

const DRIVER = 'driver';
const DROPPED = 'a596d6fe7bfa4994828e72309e95d61e';
const MAX_COUNT = 0xffff_ffff;

const TRANSPORT = new JournalField('_TRANSPORT');
const MESSAGE_ID = new JournalField('MESSAGE_ID');
const COUNT = new JournalField('N_DROPPED');
const UNIT = new JournalField('OBJECT_SYSTEMD_UNIT');

/** Of an entry with JOURNALD_IDENTIFIER, which anybody can write; null when it is something else. */
export function readSuppressed(reader: JournalReader, fields: ShortFields): Suppressed | null {
  if (fields.text(reader, TRANSPORT) !== DRIVER || fields.text(reader, MESSAGE_ID) !== DROPPED) return null;
  const count = fields.number(reader, COUNT, MAX_COUNT);
  return count <= 0 ? null : { unit: fields.text(reader, UNIT), count };
}
