/**
 * A batch of journal entries on its way from the worker to the main thread: packed into memory that both see, so that
 * nothing is copied twice and a batch costs one small message. The worker packs, posts and waits for the slot to come
 * back; the main thread unpacks in between.
 */
import { type LogRecord, markCut } from '../../core/record.ts';
import type { PinnedBytes } from '../../native/memory.ts';

/** Limits of one batch, whichever is reached first. */
export const MAX_BATCH_RECORDS = 512;
export const MAX_BATCH_BYTES = 1024 * 1024;

/** Longer texts are cut to these many bytes. A name that is cut equals no name that anybody looks for. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
export const MAX_NAME_BYTES = 256;
export const MAX_PATH_BYTES = 4096;

/** One number each in a record's head; the lengths are of its texts, which follow one another in this order. */
const AT = 0;
const UID = 1;
const FACILITY = 2;
const SEVERITY = 3;
const IDENTIFIER_LENGTH = 4;
const PID_LENGTH = 5;
const UNIT_LENGTH = 6;
const EXECUTABLE_LENGTH = 7;
const MESSAGE_LENGTH = 8;
/** 1 when the message went on behind its end. */
const IS_CUT = 9;
const CONTAINER_ID_LENGTH = 10;
const CONTAINER_NAME_LENGTH = 11;
const CONTAINER_IMAGE_LENGTH = 12;
const HEAD_NUMBERS = 13;

const HEADS_BYTES = MAX_BATCH_RECORDS * HEAD_NUMBERS * Float64Array.BYTES_PER_ELEMENT;
const MAX_RECORD_BYTES = MAX_MESSAGE_BYTES + MAX_PATH_BYTES + 6 * MAX_NAME_BYTES;

/** The texts of a record, in the order in which they are packed. */
export type PackedText =
  | 'identifier'
  | 'pid'
  | 'unit'
  | 'executable'
  | 'containerId'
  | 'containerName'
  | 'containerImage'
  | 'message';

const LENGTH_OF: Readonly<Record<PackedText, number>> = {
  identifier: IDENTIFIER_LENGTH,
  pid: PID_LENGTH,
  unit: UNIT_LENGTH,
  executable: EXECUTABLE_LENGTH,
  containerId: CONTAINER_ID_LENGTH,
  containerName: CONTAINER_NAME_LENGTH,
  containerImage: CONTAINER_IMAGE_LENGTH,
  message: MESSAGE_LENGTH,
};

/** Memory for one batch. Make it once; it is used again and again. */
export function allocateSlot(): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADS_BYTES + MAX_BATCH_BYTES);
}

/** Packs records into a slot. A record is begun, given its texts in order, and ended; or begun anew to drop it. */
export class BatchPacker {
  /** Where texts are to be written, from `offset` on. */
  readonly memory: PinnedBytes;
  count = 0;
  /** Where the next text begins. */
  offset = HEADS_BYTES;
  readonly #heads: Float64Array;
  #recordOffset = HEADS_BYTES;

  /** Takes the slot and the same memory pinned. */
  constructor(slot: SharedArrayBuffer, memory: PinnedBytes) {
    this.memory = memory;
    this.#heads = new Float64Array(slot, 0, MAX_BATCH_RECORDS * HEAD_NUMBERS);
  }

  /** Whether no further record of the largest size is sure to fit. */
  get isFull(): boolean {
    return (
      this.count === MAX_BATCH_RECORDS || this.#recordOffset + MAX_RECORD_BYTES > this.memory.bytes.length
    );
  }

  /** Bytes of all texts. */
  get bytes(): number {
    return this.#recordOffset - HEADS_BYTES;
  }

  reset(): void {
    this.count = 0;
    this.#recordOffset = HEADS_BYTES;
    this.offset = HEADS_BYTES;
  }

  /** Begins a record, forgetting one that was begun and not ended. */
  beginRecord(): void {
    this.offset = this.#recordOffset;
    const head = this.count * HEAD_NUMBERS;
    this.#heads.fill(0, head, head + HEAD_NUMBERS);
  }

  /** Says that `length` bytes of a text have been written at `offset`. */
  endText(text: PackedText, length: number): void {
    this.#heads[this.count * HEAD_NUMBERS + LENGTH_OF[text]] = length;
    this.offset += length;
  }

  endRecord(at: number, uid: number, facility: number, severity: number, isCut: boolean): void {
    const head = this.count * HEAD_NUMBERS;
    this.#heads[head + AT] = at;
    this.#heads[head + UID] = uid;
    this.#heads[head + FACILITY] = facility;
    this.#heads[head + SEVERITY] = severity;
    this.#heads[head + IS_CUT] = isCut ? 1 : 0;
    this.#recordOffset = this.offset;
    this.count++;
  }
}

/** Unpacks the batches of one slot. Every string is new and keeps nothing of the slot alive. */
export class BatchUnpacker {
  readonly #heads: Float64Array;
  readonly #bytes: Buffer;

  constructor(slot: SharedArrayBuffer) {
    this.#heads = new Float64Array(slot, 0, MAX_BATCH_RECORDS * HEAD_NUMBERS);
    this.#bytes = Buffer.from(slot);
  }

  unpack(count: number): LogRecord[] {
    const records: LogRecord[] = [];
    let offset = HEADS_BYTES;
    for (let index = 0; index < count; index++) {
      const head = index * HEAD_NUMBERS;
      const identifierEnd = offset + this.#number(head + IDENTIFIER_LENGTH);
      const pidEnd = identifierEnd + this.#number(head + PID_LENGTH);
      const unitEnd = pidEnd + this.#number(head + UNIT_LENGTH);
      const executableEnd = unitEnd + this.#number(head + EXECUTABLE_LENGTH);
      const idEnd = executableEnd + this.#number(head + CONTAINER_ID_LENGTH);
      const nameEnd = idEnd + this.#number(head + CONTAINER_NAME_LENGTH);
      const imageEnd = nameEnd + this.#number(head + CONTAINER_IMAGE_LENGTH);
      const messageEnd = imageEnd + this.#number(head + MESSAGE_LENGTH);
      const message = this.#text(imageEnd, messageEnd);
      const isCut = this.#number(head + IS_CUT) === 1;
      records.push({
        at: this.#number(head + AT),
        source: 'journal',
        sender: '',
        hostname: '',
        identifier: this.#text(offset, identifierEnd),
        pid: this.#text(identifierEnd, pidEnd),
        facility: this.#number(head + FACILITY),
        severity: this.#number(head + SEVERITY),
        message: isCut ? markCut(message) : message,
        timestamp: -1,
        trusted: {
          unit: this.#text(pidEnd, unitEnd),
          executable: this.#text(unitEnd, executableEnd),
          uid: this.#number(head + UID),
        },
        structuredData: '',
        connection: 0,
        ...(imageEnd === executableEnd
          ? undefined
          : {
              container: {
                id: this.#text(executableEnd, idEnd),
                name: this.#text(idEnd, nameEnd),
                image: this.#text(nameEnd, imageEnd),
              },
            }),
      });
      offset = messageEnd;
    }
    return records;
  }

  #number(index: number): number {
    return this.#heads[index] ?? 0;
  }

  /** Decodes UTF-8; what is none becomes U+FFFD. */
  #text(start: number, end: number): string {
    return start === end ? '' : this.#bytes.toString('utf8', start, end);
  }
}
