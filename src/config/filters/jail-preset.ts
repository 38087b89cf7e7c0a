/**
 * What filters say of their jails, as a document to lay under the configuration: the [jail] of NAME.toml is the preset
 * of [jail.NAME]. For the filters of the user; of those that come with the program etc/jails.toml is made.
 */
import { join } from 'node:path';
import {
  type DocumentNode,
  type Entry,
  emptyTable,
  nodeAt,
  parseDocument,
  type TableNode,
} from '../document/document.ts';
import { readSource } from '../document/files.ts';
import { type FilterDirectory, findFilters } from './filter-file.ts';
import { readFilter } from './schema.ts';

/** Keys of [jail] that are for jails.toml alone. */
const FOR_READERS: ReadonlySet<string> = new Set(['group', 'caution']);

/**
 * The presets of those jails that `config` names. A filter that is refused has none: its jail stays out, and says why.
 */
export function ownJailPresets(directories: readonly FilterDirectory[], config: TableNode): TableNode {
  const named = nodeAt(config, ['jail']);
  const presets = new Map<string, Entry>();
  if (named?.kind === 'table') {
    const { found } = findFilters(directories);
    for (const [name, { key }] of named.entries) {
      const directory = found.get(name);
      const preset = directory === undefined || directory.strict ? null : jailPreset(name, directory);
      if (preset !== null) presets.set(name, { key, value: preset });
    }
  }
  if (presets.size === 0) return emptyTable(config.place);
  const jails: DocumentNode = { kind: 'table', entries: presets, place: config.place };
  const entries = new Map([['jail', { key: config.place, value: jails }]]);
  return { kind: 'table', entries, place: config.place };
}

/** The keys of a filter's [jail] that a jail has too; null when it has none, or the file is no filter. */
function jailPreset(name: string, directory: FilterDirectory): TableNode | null {
  const source = readSource(join(directory.path, `${name}.toml`));
  if ('message' in source) return null;
  const { root, problems } = parseDocument(source);
  if (root === null || problems.length > 0 || readFilter(name, root).filter === null) return null;
  const jail = nodeAt(root, ['jail']);
  if (jail?.kind !== 'table') return null;
  const entries = new Map([...jail.entries].filter(([key]) => !FOR_READERS.has(key)));
  return { kind: 'table', entries, place: jail.place };
}
