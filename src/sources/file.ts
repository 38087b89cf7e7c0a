/**
 * A file or standard input as chunks of bytes, unpacked when its name says that it is packed. What comes out may be
 * larger than memory: it is read as fast as it is used.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { OperationalError } from '../core/errors.ts';

export type FileInput = {
  /** What it is called in messages. */
  readonly name: string;
  /** Bytes on disk, to be compared with `bytesRead`; null when nobody can tell. */
  readonly totalBytes: number | null;
  /** Bytes taken from the disk so far, packed as they are there. */
  bytesRead(): number;
  /** To be read once. Ends with an OperationalError when reading or unpacking fails. */
  readonly chunks: AsyncIterable<Buffer>;
};

/** The path that means standard input. */
export const STANDARD_INPUT = '-';

/** One read, and what comes out of one step of unpacking. */
const CHUNK_BYTES = 256 * 1024;

/** Characters of what xz complains of. */
const MAX_COMPLAINT_LENGTH = 1_000;

/** By the end of a file's name. */
const UNPACKERS: Readonly<Record<string, (packed: Readable, path: string) => AsyncIterable<Buffer>>> = {
  '.gz': (packed) => unpackWith(packed, createGunzip({ chunkSize: CHUNK_BYTES })),
  '.zst': (packed) => unpackWith(packed, createZstdDecompress({ chunkSize: CHUNK_BYTES })),
  '.xz': unpackXz,
};

/** Opens a file, or standard input for `-`. Throws OperationalError when it cannot be opened. */
export async function openFile(path: string): Promise<FileInput> {
  if (path === STANDARD_INPUT) return standardInput();
  try {
    const handle = await open(path);
    const stat = await handle.stat();
    if (stat.isDirectory()) {
      await handle.close();
      throw new OperationalError(`${path} is a directory`, { code: 'EISDIR' });
    }
    const raw = handle.createReadStream({ highWaterMark: CHUNK_BYTES });
    const unpack = UNPACKERS[/\.(?:gz|zst|xz)$/.exec(path)?.[0] ?? ''];
    return {
      name: path,
      totalBytes: stat.isFile() ? stat.size : null,
      bytesRead: () => raw.bytesRead,
      chunks: readAll(unpack === undefined ? raw : unpack(raw, path), path),
    };
  } catch (error) {
    throw describeError(error, path);
  }
}

function standardInput(): FileInput {
  const { stdin } = process;
  let count = 0;
  const counted = async function* (): AsyncGenerator<Buffer> {
    for await (const chunk of readAll(stdin, 'standard input')) {
      count += chunk.length;
      yield chunk;
    }
  };
  return { name: 'standard input', totalBytes: null, bytesRead: () => count, chunks: counted() };
}

async function* readAll(chunks: AsyncIterable<Buffer>, path: string): AsyncGenerator<Buffer> {
  try {
    yield* chunks;
  } catch (error) {
    throw describeError(error, path);
  }
}

/** Errors of either reach whoever reads what comes out. */
function unpackWith(packed: Readable, unpacker: Transform): AsyncIterable<Buffer> {
  return pipeline(packed, unpacker, () => undefined);
}

/** Node has no xz. The program of that name is given the bytes, and no name that anybody has chosen. */
async function* unpackXz(packed: Readable, path: string): AsyncGenerator<Buffer> {
  const child = spawn('xz', ['--decompress', '--stdout'], { stdio: 'pipe' });
  const failure = failureOf(child, path);
  // When xz ends early, its own complaint says more than the pipe's.
  pipeline(packed, child.stdin, () => undefined);
  try {
    yield* child.stdout;
  } finally {
    child.kill();
  }
  const error = await failure;
  if (error !== null) throw error;
}

async function failureOf(child: ChildProcessWithoutNullStreams, path: string): Promise<Error | null> {
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < MAX_COMPLAINT_LENGTH) complaint += chunk.toString();
  });
  try {
    const [status] = (await once(child, 'close')) as [number | null];
    return status === 0 ? null : damaged(path, complaint.split('\n')[0] ?? '');
  } catch (error) {
    return new OperationalError(`cannot unpack ${path} without the program xz`, {
      code: 'xz-missing',
      advice: 'install it: apt-get install xz-utils, or dnf install xz',
      cause: error,
    });
  }
}

function damaged(path: string, reason: string): OperationalError {
  return new OperationalError(`cannot unpack ${path}: ${reason}`, {
    code: 'damaged',
    advice: 'what came before the damage was read',
  });
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a directory'],
  ['ENOTDIR', 'a part of its path is not a directory'],
]);

function describeError(error: unknown, path: string): Error {
  if (error instanceof OperationalError || !(error instanceof Error)) return error as Error;
  const code = 'code' in error ? String(error.code) : '';
  if (code.startsWith('Z_') || code.startsWith('ZSTD_') || code.startsWith('ERR_')) {
    return damaged(path, error.message);
  }
  const advice = code === 'EACCES' ? 'logs are often for root and the group adm: try it with sudo' : '';
  const reason = REASONS.get(code) ?? error.message;
  return new OperationalError(`cannot read ${path}: ${reason}`, {
    code: code || 'unreadable',
    advice,
    cause: error,
  });
}
