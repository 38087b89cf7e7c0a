/**
 * The configuration that was last in force, kept beside the state: the user's file, its `conf.d` and his filters, under
 * the names that they have, so that it is read as any other. A start that finds a mistake goes by it, since a mistake
 * must not leave a host without its bans.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { listTomlFiles, readSource } from '../../config/document/files.ts';
import type { Source } from '../../config/document/problem.ts';
import { SHIPPED_FILTER_DIRECTORY } from '../../config/paths.ts';
import { makeDirectory } from '../../native/make-directory.ts';

/** In the directory that it is kept in. */
export const LAST_GOOD_DIRECTORY = 'last-good';

/** What it is while it is written, and what it was before: the one takes the other's place by its name alone. */
const COMING_DIRECTORY = `${LAST_GOOD_DIRECTORY}.new`;
const FORMER_DIRECTORY = `${LAST_GOOD_DIRECTORY}.old`;

const CONFIGURATION = 'bailiff.toml';
const DROP_INS = 'conf.d';
const FILTERS = 'filters';

/** Names beside secrets: tokens and keys are in files of their own, but who may send what is here. */
const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

export type LastGood = {
  /** To be read as a configuration. */
  readonly configPath: string;
  /** When it was put in force, in milliseconds since the epoch. */
  readonly keptAt: number;
};

/** The configuration that was last in force; null when none was kept, or none that may be looked at. */
export function findLastGood(home: string): LastGood | null {
  for (const directory of [LAST_GOOD_DIRECTORY, FORMER_DIRECTORY]) {
    const configPath = join(home, directory, CONFIGURATION);
    const keptAt = changedAt(configPath);
    if (keptAt !== null) return { configPath, keptAt };
  }
  return null;
}

/** Null where nothing can be seen: another user's directory, or a link that leads nowhere, must not end a start. */
function changedAt(path: string): number | null {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return null;
  }
}

/**
 * Keeps a configuration that is in force, in one step: after a crash there is the one or the other. `sources` are the
 * user's files as they were read, the first of them the one that he names. Does nothing when it is kept already. Throws
 * the system's error when it cannot be written.
 */
export function keepLastGood(home: string, sources: readonly Source[]): void {
  const files = filesToKeep(sources);
  const directory = join(home, LAST_GOOD_DIRECTORY);
  if (isKept(directory, files)) return;
  const coming = join(home, COMING_DIRECTORY);
  const former = join(home, FORMER_DIRECTORY);
  rmSync(coming, { recursive: true, force: true });
  for (const wing of ['', DROP_INS, FILTERS]) makeDirectory(join(coming, wing), DIRECTORY_MODE);
  for (const [name, text] of files) writeDurably(join(coming, name), text);
  rmSync(former, { recursive: true, force: true });
  if (lstatSync(directory, { throwIfNoEntry: false }) !== undefined) renameSync(directory, former);
  renameSync(coming, directory);
  rmSync(former, { recursive: true, force: true });
}

/** By their names in the directory. A filter that has changed since it was read harms itself alone. */
function filesToKeep(sources: readonly Source[]): ReadonlyMap<string, string> {
  const [own] = sources;
  const files = new Map<string, string>();
  if (own === undefined) return files;
  for (const { file, text } of sources)
    files.set(file === own.file ? CONFIGURATION : join(DROP_INS, basename(file)), text);
  for (const filter of ownFilters(dirname(own.file)))
    files.set(join(FILTERS, basename(filter.file)), filter.text);
  return files;
}

function ownFilters(configDirectory: string): readonly Source[] {
  const directory = join(configDirectory, FILTERS);
  if (directory === SHIPPED_FILTER_DIRECTORY) return [];
  return tomlFilesOf(directory).flatMap((name) => {
    const source = readSource(join(directory, name));
    return 'message' in source ? [] : [source];
  });
}

function tomlFilesOf(directory: string): readonly string[] {
  const names = listTomlFiles(directory);
  return 'message' in names ? [] : names;
}

function isKept(directory: string, files: ReadonlyMap<string, string>): boolean {
  if (!existsSync(join(directory, CONFIGURATION))) return false;
  const kept = [DROP_INS, FILTERS].flatMap((wing) =>
    tomlFilesOf(join(directory, wing)).map((name) => join(wing, name)),
  );
  if (kept.length + 1 !== files.size) return false;
  for (const [name, text] of files) {
    const source = readSource(join(directory, name));
    if ('message' in source || source.text !== text) return false;
  }
  return true;
}

/** On the disk before its directory takes its name: an empty file would be a configuration without jails. */
function writeDurably(path: string, text: string): void {
  const descriptor = openSync(path, 'wx', FILE_MODE);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
