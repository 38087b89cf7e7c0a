/** Which filters a tool works with: all that the daemon would load, or those that are named. */
import { basename, dirname, resolve } from 'node:path';
import { nearest } from '../../config/document/nearest.ts';
import { formatProblem, formatWarning, type Problem } from '../../config/document/problem.ts';
import {
  type FilterDirectory,
  findFilters,
  type LoadedFilter,
  loadFilter,
} from '../../config/filters/filter-file.ts';
import { defaultFilterDirectories } from '../../config/load.ts';
import { OperationalError } from '../../core/errors.ts';
import type { Filter } from '../../match/filter.ts';
import { type ConfigOptions, configPathOf } from '../command.ts';
import type { Terminal } from '../render/terminal.ts';

export type FilterOptions = ConfigOptions & { readonly filter?: readonly string[] };

/** A filter by name, and the directory that it is loaded from. */
export type NamedFilter = { readonly name: string; readonly directory: FilterDirectory };

/**
 * The filters that are named, as `sshd` or as a file such as `./sshd.toml`; every one that is installed when none is.
 * Throws OperationalError for a name that no filter has.
 */
export function nameFilters(names: readonly string[], configPath: string, terminal: Terminal): NamedFilter[] {
  const { found, problems } = findFilters(defaultFilterDirectories(resolve(configPath)));
  for (const problem of problems) terminal.complain(formatProblem(problem));
  if (names.length === 0) return [...found].map(([name, directory]) => ({ name, directory }));
  return names.map((name) => {
    if (name.endsWith('.toml')) {
      return { name: basename(name, '.toml'), directory: { path: dirname(name), strict: false } };
    }
    const directory = found.get(name);
    if (directory !== undefined) return { name, directory };
    const meant = nearest(name, found.keys());
    const advice = meant === null ? '' : `did you mean ${meant}?`;
    throw new OperationalError(`there is no filter ${name}`, { code: 'no-such-filter', advice });
  });
}

/** The filters that are chosen and can be used. What keeps others out is told on the way. */
export function loadChosenFilters(options: FilterOptions, terminal: Terminal): Filter[] {
  const named = nameFilters(options.filter ?? [], configPathOf(options, terminal), terminal);
  return named.flatMap(({ name, directory }) => {
    const { filter, problems } = loadFilter(name, directory, false);
    complainOfAll(problems, terminal);
    return filter ?? [];
  });
}

/** Every problem of a filter with its place, the warnings marked as such. */
export function complainOfFilter({ problems, warnings }: LoadedFilter, terminal: Terminal): void {
  complainOfAll(problems, terminal);
  for (const warning of warnings) terminal.complain(formatWarning(warning));
}

function complainOfAll(problems: readonly Problem[], terminal: Terminal): void {
  for (const problem of problems) terminal.complain(formatProblem(problem));
}
