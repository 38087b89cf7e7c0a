/** The file that pipeline and peers read: the same lines for all of them, for as long as the benchmark runs. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateLog } from './sshd-log.ts';

export const LOG_LINES = 200_000;
const SEED = 20_260_305;
const CHUNK_BYTES = 64 * 1024;

/** Writes the log, calls `use` with its path, and removes it. */
export async function withLogFile<Result>(use: (path: string) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-bench-'));
  try {
    const path = join(directory, 'auth.log');
    writeFileSync(path, [...generateLog(SEED, LOG_LINES)].join(''));
    return await use(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** The file's bytes, as many at a time as a socket hands over. A chunk is valid until the next is asked for. */
export function* readChunks(path: string): Generator<Buffer> {
  const descriptor = openSync(path, 'r');
  const buffer = Buffer.alloc(CHUNK_BYTES);
  try {
    for (;;) {
      const length = readSync(descriptor, buffer);
      if (length === 0) return;
      yield buffer.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}
