/** The files that several programs read: the same lines for all of them, for as long as the benchmark runs. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateMixedLog } from './mixed-log.ts';
import { generateLog } from './sshd-log.ts';

export const LOG_LINES = 200_000;
export const MIXED_LOG_LINES = 1_000_000;
const SEED = 20_260_305;
const CHUNK_BYTES = 64 * 1024;

/** Writes an auth.log, calls `use` with its path, and removes it. */
export function withLogFile<Result>(use: (path: string) => Promise<Result>): Promise<Result> {
  return withFile(generateLog(SEED, LOG_LINES), use);
}

/** As withLogFile, with a syslog of everything that runs on a server. */
export function withMixedLogFile<Result>(use: (path: string) => Promise<Result>): Promise<Result> {
  return withFile(generateMixedLog(SEED, MIXED_LOG_LINES), use);
}

async function withFile<Result>(
  lines: Iterable<string>,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'bailiff-bench-'));
  try {
    const path = join(directory, 'bench.log');
    writeFileSync(path, [...lines].join(''));
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
