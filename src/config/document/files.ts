/** Reading the files that make up the configuration, within limits. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { type Problem, problemOfFile, type Source } from './problem.ts';

/** A longer file is refused: 1 MiB holds an ignore list of some 50,000 networks and parses in under a second. */
export const MAX_FILE_BYTES = 1_048_576;

/** Files of one directory that are read; with more of them the directory is refused. */
export const MAX_DIRECTORY_FILES = 1_000;

/** Reads a regular file as UTF-8. The problem says why when it cannot be read. */
export function readSource(file: string): Source | Problem {
  let bytes: Buffer;
  try {
    bytes = readRegularFile(file);
  } catch (error) {
    return problemOfFile(file, `cannot be read: ${reasonOf(error)}`);
  }
  if (bytes.length > MAX_FILE_BYTES) {
    return problemOfFile(file, `cannot be read: it is longer than ${MAX_FILE_BYTES} bytes`);
  }
  try {
    return { file, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes) };
  } catch {
    return problemOfFile(file, `cannot be read: line ${lineOfInvalidByte(bytes)} is not UTF-8`);
  }
}

/**
 * The `*.toml` files of a directory, without hidden ones, in the byte order of their names. A directory that does not
 * exist is empty.
 */
export function listTomlFiles(directory: string): readonly string[] | Problem {
  let names: Buffer[];
  try {
    names = readdirSync(directory, { encoding: 'buffer' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    return problemOfFile(directory, `cannot be read: ${reasonOf(error)}`);
  }
  const wanted = names
    .sort(Buffer.compare)
    .map((name) => name.toString())
    .filter((name) => name.endsWith('.toml') && !name.startsWith('.'));
  if (wanted.length > MAX_DIRECTORY_FILES) {
    return problemOfFile(directory, `cannot be read: it holds more than ${MAX_DIRECTORY_FILES} .toml files`);
  }
  return wanted;
}

/** At most a little more than MAX_FILE_BYTES. Opened without waiting, so that a pipe of that name stops nothing. */
function readRegularFile(file: string): Buffer {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    if (!fstatSync(descriptor).isFile()) throw new Error('it is not a regular file');
    const chunks: Buffer[] = [];
    for (let length = 0; length <= MAX_FILE_BYTES; ) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const count = readSync(descriptor, chunk, 0, CHUNK_BYTES, null);
      if (count === 0) break;
      chunks.push(chunk.subarray(0, count));
      length += count;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(descriptor);
  }
}

const CHUNK_BYTES = 65_536;

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a directory'],
  ['ENOTDIR', 'a part of its path is not a directory'],
  ['ELOOP', 'it is a symbolic link that leads nowhere'],
]);

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return REASONS.get(code) ?? (code === '' ? error.message : code);
}

function lineOfInvalidByte(bytes: Buffer): number {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline + 1;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end;
  }
  return line;
}
