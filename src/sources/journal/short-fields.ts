/** Fields of a journal entry that are short: numbers and names that journald has stamped. */
import { JournalField, type JournalReader } from '../../native/journal-reader.ts';
import { PinnedBytes } from '../../native/memory.ts';

/** The longest of them is a unit's name (UNIT_NAME_MAX of systemd). */
const MAX_BYTES = 256;
const MAX_NUMBER_DIGITS = 10;
const MAX_UID = 0xffff_ffff;

/** What journald says of entries that come from the kernel (systemd.journal-fields(7), _TRANSPORT). */
const KERNEL = 'kernel';

const UID = new JournalField('_UID');
const TRANSPORT = new JournalField('_TRANSPORT');

export class ShortFields {
  readonly #scratch = new PinnedBytes(new ArrayBuffer(MAX_BYTES));

  /** The beginning of a field as it is in ASCII; '' when it is missing. */
  text(reader: JournalReader, field: JournalField): string {
    const length = reader.copyField(field, this.#scratch, 0, MAX_BYTES);
    return length <= 0 ? '' : this.#scratch.bytes.toString('latin1', 0, Math.min(length, MAX_BYTES));
  }

  /** Who has written the entry. The kernel has no uid in the journal, and is to be believed as root is. */
  uid(reader: JournalReader): number {
    const uid = this.number(reader, UID, MAX_UID);
    if (uid >= 0) return uid;
    return this.text(reader, TRANSPORT) === KERNEL ? 0 : -1;
  }

  /** A decimal field; -1 when it is missing, no number, or larger than `maximum`. */
  number(reader: JournalReader, field: JournalField, maximum: number): number {
    const length = reader.copyField(field, this.#scratch, 0, MAX_BYTES);
    if (length < 1 || length > MAX_NUMBER_DIGITS) return -1;
    let value = 0;
    for (let index = 0; index < length; index++) {
      const digit = (this.#scratch.bytes[index] ?? 0) - 48;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value <= maximum ? value : -1;
  }
}
