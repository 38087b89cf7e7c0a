/** The files of a package before they are packed: what is where, with which mode, owned by root and of one time. */
import { chmod, lutimes, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

export type Entry =
  | { readonly kind: 'file'; readonly bytes: Buffer; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'directory' };

const FILE_MODE = 0o644;
const EXECUTABLE_MODE = 0o755;
const DIRECTORY_MODE = 0o755;

export class Tree {
  /** By path from the root, without a leading slash. */
  readonly #entries = new Map<string, Entry>();

  file(path: string, contents: string | Buffer): void {
    this.#add(path, { kind: 'file', bytes: Buffer.from(contents), mode: FILE_MODE });
  }

  executable(path: string, contents: string | Buffer): void {
    this.#add(path, { kind: 'file', bytes: Buffer.from(contents), mode: EXECUTABLE_MODE });
  }

  /** Adds `path`.gz; gzip's header has neither name nor time in it. */
  compressed(path: string, contents: string | Buffer): void {
    this.file(`${path}.gz`, gzipSync(contents, { level: 9 }));
  }

  link(path: string, target: string): void {
    this.#add(path, { kind: 'link', target });
  }

  /** One that is there without any file in it. */
  directory(path: string): void {
    this.#add(path, { kind: 'directory' });
  }

  /** Adds what is in the directory `from`, and below it, at `path`. */
  async copy(from: string, path: string): Promise<void> {
    for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(entry.parentPath, entry.name);
      this.file(join(path, file.slice(from.length)), await readFile(file));
    }
  }

  rename(from: string, to: string): void {
    const entry = this.#entries.get(from);
    if (entry === undefined) throw new Error(`${from} is not in the package`);
    this.#entries.delete(from);
    this.#add(to, entry);
  }

  /** In the order of their paths. */
  entries(): ReadonlyArray<readonly [path: string, entry: Entry]> {
    return [...this.#entries].sort(([left], [right]) => (left < right ? -1 : 1));
  }

  /** A tree with the same entries, to be added to. */
  clone(): Tree {
    const clone = new Tree();
    for (const [path, entry] of this.#entries) clone.#add(path, entry);
    return clone;
  }

  /** Writes all of it below `directory`, which is emptied first; `seconds` since 1970 is the time of everything. */
  async write(directory: string, seconds: number): Promise<void> {
    await rm(directory, { recursive: true, force: true });
    const parents = new Set<string>();
    for (const [path, entry] of this.entries()) {
      for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) parents.add(parent);
      await writeEntry(join(directory, path), entry, seconds);
    }
    // A file that is written into a directory changes its time, so directories come last, the innermost first.
    for (const parent of [...parents].sort().reverse()) {
      await chmod(join(directory, parent), DIRECTORY_MODE);
      await utimes(join(directory, parent), seconds, seconds);
    }
    await chmod(directory, DIRECTORY_MODE);
    await utimes(directory, seconds, seconds);
  }

  #add(path: string, entry: Entry): void {
    if (this.#entries.has(path)) throw new Error(`${path} is in the package twice`);
    this.#entries.set(path, entry);
  }
}

async function writeEntry(file: string, entry: Entry, seconds: number): Promise<void> {
  await mkdir(entry.kind === 'directory' ? file : dirname(file), { recursive: true });
  if (entry.kind === 'link') await symlink(entry.target, file);
  if (entry.kind === 'file') await writeFile(file, entry.bytes);
  if (entry.kind === 'file') await chmod(file, entry.mode);
  if (entry.kind === 'directory') await chmod(file, DIRECTORY_MODE);
  await lutimes(file, seconds, seconds);
}
