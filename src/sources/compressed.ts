/**
 * What rsyslog's omfwd has compressed: single messages, each a `z` and then zlib (RFC 1950; `@(z9)`, `@@(z9)`), and
 * whole connections (`compression.mode="stream:always"`), which are zlib from their first byte.
 */
import { constants, createInflate, type Inflate, inflateSync } from 'node:zlib';

const MARK = 0x7a;
/** The first byte of zlib's header, for a window of 32 KiB: the only one that zlib writes of itself. */
const ZLIB = 0x78;

export function isCompressed(bytes: Buffer, start: number, end: number): boolean {
  return bytes[start] === MARK && bytes[start + 1] === ZLIB && end - start > 2;
}

/** The message that is compressed in bytes[start, end); null when it is damaged, or longer than `maxBytes`. */
export function inflateMessage(bytes: Buffer, start: number, end: number, maxBytes: number): Buffer | null {
  try {
    return inflateSync(bytes.subarray(start + 1, end), { maxOutputLength: maxBytes });
  } catch {
    return null;
  }
}

/** Whether a connection that begins so is compressed as a whole: text begins with `<`, a digit or a letter and text. */
export function isCompressedStream(chunk: Buffer): boolean {
  return chunk.length > 1 && chunk[0] === ZLIB && chunk.readUInt16BE(0) % 31 === 0;
}

/**
 * Inflates a connection. Nothing of it is kept but the piece at hand, so what little can be blown up to costs time in
 * which others have their turn, and no memory. A connection that ends in the middle gives what can be read of it.
 */
export function createStreamInflate(): Inflate {
  return createInflate({ finishFlush: constants.Z_SYNC_FLUSH });
}
