/**
 * Filters from the directories that hold them, each file read, compiled and made to pass its own samples and the
 * linter. A file that does not stays out by itself; the others load.
 */
import { join } from 'node:path';
import type { Filter } from '../../match/filter.ts';
import { type Problem as LintProblem, type LintReport, lintFilter } from '../../match/lint/lint.ts';
import {
  type DocumentNode,
  nodeAt,
  type Path,
  parseDocument,
  placeOf,
  placeOfKey,
  type TableNode,
} from '../document/document.ts';
import { listTomlFiles, readSource } from '../document/files.ts';
import { compareProblems, type Place, type Problem, problemAt, problemOfFile } from '../document/problem.ts';
import { placeInString } from '../document/string-offset.ts';
import { isName } from '../schema/values.ts';
import { checkedLine, readCheckedFilters } from './checked-filters.ts';
import { readFilter } from './schema.ts';

export type FilterDirectory = {
  readonly path: string;
  /** Whether the linter's warnings are errors here, as for the filters that are shipped. */
  readonly strict: boolean;
  /** Filters that need no linter any more, see checked-filters.ts; none by default. */
  readonly checked?: ReadonlySet<string>;
};

export type RefusedFilter = { readonly name: string; readonly problems: readonly Problem[] };

export type LoadedFilters = {
  /** Every filter that there is a file for, loaded or not. */
  readonly names: readonly string[];
  /** By name. */
  readonly filters: readonly Filter[];
  readonly refused: readonly RefusedFilter[];
  /** Directories that cannot be read. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
};

export type FoundFilters = {
  readonly found: ReadonlyMap<string, FilterDirectory>;
  /** Directories that cannot be read. */
  readonly problems: readonly Problem[];
};

export type LoadedFilter = {
  /** Null when the file is refused; `problems` says why. */
  readonly filter: Filter | null;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** Rules that the file has, samples run and forged lines tried; 0 as far as it did not come to that. */
  readonly tally: { readonly rules: number; readonly samples: number; readonly forged: number };
};

/**
 * Loads the `*.toml` of the directories: every one, or (`wanted`) those of these names, since each costs some fifty
 * milliseconds of proofs; these are then spared for what a package brings and nobody has changed. A file in a later
 * directory takes the place of one of the same name in an earlier one, also when it is refused: nobody wants a filter
 * back that he has replaced. `forge` has the linter try forged lines as well, some ten milliseconds a rule.
 */
export function loadFilters(
  directories: readonly FilterDirectory[],
  forge: boolean,
  wanted: ReadonlySet<string> | null = null,
): LoadedFilters {
  const trusting = wanted !== null && !forge;
  const { found, problems } = findFilters(trusting ? directories.map(withChecked) : directories);
  const filters: Filter[] = [];
  const refused: RefusedFilter[] = [];
  const warnings: Problem[] = [];
  for (const [name, directory] of found) {
    if (wanted !== null && !wanted.has(name)) continue;
    const loaded = loadFilter(name, directory, forge);
    warnings.push(...loaded.warnings);
    if (loaded.filter !== null) filters.push(loaded.filter);
    else refused.push({ name, problems: loaded.problems });
  }
  return { names: [...found.keys()], filters, refused, problems, warnings };
}

/** What is not shipped is never taken at its word. */
function withChecked(directory: FilterDirectory): FilterDirectory {
  return directory.strict ? { ...directory, checked: readCheckedFilters(directory.path) } : directory;
}

/** The directory that each filter is loaded from, by name; as loadFilters, which file takes whose place. */
export function findFilters(directories: readonly FilterDirectory[]): FoundFilters {
  const problems: Problem[] = [];
  const files = new Map<string, FilterDirectory>();
  for (const directory of directories) {
    const names = listTomlFiles(directory.path);
    if ('message' in names) problems.push(names);
    else for (const name of names) files.set(name.slice(0, -'.toml'.length), directory);
  }
  const found = new Map([...files].sort(([left], [right]) => (left < right ? -1 : 1)));
  return { found, problems };
}

/** Loads the filter `name` of a directory. */
export function loadFilter(name: string, directory: FilterDirectory, forge: boolean): LoadedFilter {
  const file = join(directory.path, `${name}.toml`);
  if (!isName(name)) {
    return refuse(problemOfFile(file, 'a filter is named with 1 to 32 of a-z, 0-9, - and _, like sshd.toml'));
  }
  const source = readSource(file);
  if ('message' in source) return refuse(source);
  const { root, problems } = parseDocument(source);
  if (root === null || problems.length > 0) return refuse(...problems);
  const { filter, problems: formProblems } = readFilter(name, root);
  if (filter === null) return refuse(...formProblems);
  if (directory.checked?.has(checkedLine(name, source.text))) {
    return judge({ ...filter, isProved: true }, root, NOT_EXAMINED);
  }
  return judge(filter, root, lintFilter(filter, { strict: directory.strict, forge }));
}

const NOT_EXAMINED: LintReport = { problems: [], samples: 0, forged: 0 };

function refuse(...problems: readonly Problem[]): LoadedFilter {
  const tally = { rules: 0, samples: 0, forged: 0 };
  return { filter: null, problems: [...problems].sort(compareProblems), warnings: [], tally };
}

function judge(filter: Filter, root: TableNode, report: LintReport): LoadedFilter {
  const placed = (severity: LintProblem['severity']): Problem[] =>
    report.problems
      .filter((problem) => problem.severity === severity)
      .map((problem) => placeProblem(problem, filter, root))
      .sort(compareProblems);
  const problems = placed('error');
  const tally = { rules: filter.rules.length, samples: report.samples, forged: report.forged };
  return { filter: problems.length === 0 ? filter : null, problems, warnings: placed('warning'), tally };
}

function placeProblem(problem: LintProblem, filter: Filter, root: TableNode): Problem {
  const index = filter.rules.findIndex((rule) => rule.name === problem.rule);
  const subject = index < 0 ? `filter \`${filter.name}\`` : `rule \`${problem.rule}\``;
  return problemAt(findPlace(problem, filter, index, root), `${subject}: ${problem.message}`);
}

function findPlace({ place }: LintProblem, filter: Filter, index: number, root: TableNode): Place {
  const path: Path = ['rules', index];
  const rule = filter.rules[index];
  if (rule === undefined || place.part === 'filter') return root.place;
  if (place.part === 'sample') return placeOf(root, [...path, 'samples', place.index]);
  if (place.part === 'rule')
    return placeOfKey(root, [...path, place.key === 'pattern' ? rule.pattern.form : place.key]);
  const node = nodeAt(root, [...path, rule.pattern.form]);
  const pattern = node?.kind === 'table' ? patternOfField(node, place.field) : node;
  return pattern?.kind === 'scalar' ? placeInString(pattern, place.offset) : placeOf(root, path);
}

/** The text of the pattern of a field, whose name may lead through nested tables. */
function patternOfField(node: DocumentNode, field: string): DocumentNode | null {
  if (node.kind !== 'table') return null;
  for (const [key, { value }] of node.entries) {
    if (key === field || key === `${field}?`)
      return value.kind === 'table' ? nodeAt(value, ['regex']) : value;
    const inner = field.startsWith(`${key}.`) ? patternOfField(value, field.slice(key.length + 1)) : null;
    if (inner !== null) return inner;
  }
  return null;
}
