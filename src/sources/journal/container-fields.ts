/**
 * What a container engine writes into the journal for a container (dockerd(8) with the journald driver, conmon(8)):
 * whose line it is, and whether it is a whole one. Seen of Docker 26.1.5 and of podman 5.4.2 with conmon 2.1.12.
 */
import { originOf } from '../../core/container.ts';
import { JournalField, type JournalReader } from '../../native/journal-reader.ts';
import { type BatchPacker, MAX_MESSAGE_BYTES, MAX_NAME_BYTES } from './batch.ts';
import type { BrokenLines, LinePart } from './broken-lines.ts';
import { copyText } from './field-copy.ts';
import type { ShortFields } from './short-fields.ts';

const CONTAINER_ID = new JournalField('CONTAINER_ID');
const CONTAINER_NAME = new JournalField('CONTAINER_NAME');
const IMAGE_NAME = new JournalField('IMAGE_NAME');

/** Of all parts of a line but the last: dockerd breaks lines at 16 KiB, conmon at 8 KiB. */
const PARTIAL = new JournalField('CONTAINER_PARTIAL_MESSAGE');
/** By which both tell standard error from standard output. */
const PRIORITY = new JournalField('PRIORITY');

/** Whether the texts that were just packed, the unit and the executable that begin there, are a container engine's. */
export function isEngineText(
  { memory, offset }: BatchPacker,
  unitOffset: number,
  executableOffset: number,
): boolean {
  const unit = memory.bytes.toString('latin1', unitOffset, executableOffset);
  const executable = memory.bytes.toString('latin1', executableOffset, offset);
  return originOf({ unit, executable, uid: -1 }) === 'engine';
}

/** Packs what the engine says of the container. */
export function copyContainer(reader: JournalReader, packer: BatchPacker): void {
  copyText(reader, packer, CONTAINER_ID, 'containerId', MAX_NAME_BYTES);
  copyText(reader, packer, CONTAINER_NAME, 'containerName', MAX_NAME_BYTES);
  copyText(reader, packer, IMAGE_NAME, 'containerImage', MAX_NAME_BYTES);
}

/** What of a line the entry holds, if an engine has broken it; null where it says nothing of a container. */
export function containerLinePart(
  reader: JournalReader,
  fields: ShortFields,
  brokenLines: BrokenLines,
): LinePart | null {
  const container = fields.text(reader, CONTAINER_ID);
  if (container === '') return null;
  // By uid too: nobody who runs an engine of his own breaks the lines of another's.
  const stream = `${fields.uid(reader)} ${container} ${fields.text(reader, PRIORITY)}`;
  return brokenLines.judge(stream, '', fields.text(reader, PARTIAL) === '' ? '' : 'line-max');
}

/** Takes the LF off that conmon hands on with each line, and journald keeps in a message. */
export function dropLineEnd(packer: BatchPacker, messageLength: number): void {
  if (messageLength < 1 || messageLength > MAX_MESSAGE_BYTES) return;
  if (packer.memory.bytes[packer.offset - 1] !== 0x0a) return;
  packer.offset -= messageLength;
  packer.endText('message', messageLength - 1);
}
