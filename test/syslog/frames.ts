/** Framing as a function, for tests: what a stream that arrives in these chunks is made into. */
import { Framer } from '../../src/syslog/framing.ts';

export type Frame = { readonly text: string; readonly isCut: boolean };

export function framesOf(
  chunks: readonly (string | Buffer)[],
  { maxMessageBytes = 64, isClosedBySender = true } = {},
): Frame[] {
  const frames: Frame[] = [];
  const framer = new Framer(maxMessageBytes);
  const take = (bytes: Buffer, start: number, end: number, isCut: boolean) => {
    frames.push({ text: bytes.toString('latin1', start, end), isCut });
  };
  for (const chunk of chunks)
    framer.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk, 'latin1'), take);
  framer.end(isClosedBySender, take);
  return frames;
}

/** The texts of frames that are all whole. */
export function textsOf(chunks: readonly (string | Buffer)[], options = {}): string[] {
  return framesOf(chunks, options).map(({ text, isCut }) => (isCut ? `${text} [cut]` : text));
}
