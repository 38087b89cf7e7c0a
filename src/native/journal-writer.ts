/**
 * Writes structured entries to the journal: sd_journal_sendv(3). Values may hold any bytes, line feeds and NULs
 * included: lengths are passed, nothing is formatted or escaped, and no value can become another field.
 */
import { assert } from '../core/errors.ts';
import { PinnedBytes } from './memory.ts';
import { checkResult, openSystemd } from './systemd.ts';

/** Field names and values: `{ MESSAGE: 'banned', PRIORITY: '5', BAILIFF_JAIL: 'sshd' }`. */
export type JournalFields = Readonly<Record<string, string>>;

/** A longer value is cut to this many bytes, and journald would store no more than 767 MiB. */
export const MAX_VALUE_BYTES = 64 * 1024;

/** More fields than this in one entry are a bug; journald takes 1024. */
const MAX_FIELDS = 64;

/** journald drops fields with other names (systemd.journal-fields(7)); a leading `_` is its own. */
const FIELD_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;

/** sizeof(struct iovec) on 64-bit platforms: a pointer and a length. */
const IOVEC_BYTES = 16;

export interface JournalWriter {
  /**
   * Sends one entry. Without a journald it is dropped silently. Throws OperationalError when the kernel refuses it; a
   * field name that journald would not store is a bug.
   */
  write(fields: JournalFields): void;
}

/** Opens the journal for writing as `identifier`. Throws OperationalError `library-missing`. */
export function openJournalWriter(identifier: string): JournalWriter {
  const sendv = openSystemd().func('sd_journal_sendv', 'int', ['void *', 'int']);
  return {
    write(fields) {
      const entries = Object.entries({ SYSLOG_IDENTIFIER: identifier, ...fields });
      assert(entries.length <= MAX_FIELDS, `${entries.length} fields in a journal entry`);
      send(sendv, entries.map(encodeField));
    },
  };
}

function encodeField([name, value]: readonly [string, string]): Buffer {
  assert(FIELD_NAME.test(name), `journal field name ${JSON.stringify(name)}`);
  const field = Buffer.from(`${name}=${value}`);
  return field.subarray(0, name.length + 1 + MAX_VALUE_BYTES);
}

/** Lays the fields one after the other behind their iovecs, in one piece of memory. */
function send(sendv: (vector: Buffer, count: number) => number, fields: readonly Buffer[]): void {
  const vectorBytes = fields.length * IOVEC_BYTES;
  const total = fields.reduce((sum, field) => sum + field.length, vectorBytes);
  const memory = new PinnedBytes(new ArrayBuffer(total));
  let offset = vectorBytes;
  for (const [index, field] of fields.entries()) {
    memory.bytes.writeBigUInt64LE(BigInt(memory.pointer + offset), index * IOVEC_BYTES);
    memory.bytes.writeBigUInt64LE(BigInt(field.length), index * IOVEC_BYTES + 8);
    field.copy(memory.bytes, offset);
    offset += field.length;
  }
  checkResult('sd_journal_sendv', sendv(memory.bytes, fields.length));
}
