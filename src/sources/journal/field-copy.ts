/** Copies fields of a journal entry into the record that is being packed. */
import type { JournalField, JournalReader } from '../../native/journal-reader.ts';
import type { BatchPacker, PackedText } from './batch.ts';

/** Copies a text behind what is packed; returns its whole length, or -1 when the entry has none. */
export function copyText(
  reader: JournalReader,
  packer: BatchPacker,
  field: JournalField,
  text: PackedText,
  limit: number,
): number {
  const length = reader.copyField(field, packer.memory, packer.offset, limit);
  if (length > 0) packer.endText(text, Math.min(length, limit));
  return length;
}

/** Whether the text that was just packed, of this length, is `name`. */
export function endsWith({ memory, offset }: BatchPacker, name: string, length: number): boolean {
  return length === name.length && memory.bytes.toString('latin1', offset - length, offset) === name;
}
