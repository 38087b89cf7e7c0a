/**
 * Loading the configuration: the jails that come with the program, what the filters of the user say of theirs,
 * bailiff.toml, `conf.d/*.toml` beside it in the byte order of their names, then the filters. A later file adds to an
 * earlier one: tables merge, lists of tables such as [[sender]] add up, every other value takes the place of the one
 * before, a list as a whole. The daemon at its start, at a reload, and `bailiff check` all come here.
 */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  type DocumentNode,
  emptyTable,
  mergeTables,
  type Path,
  parseDocument,
  type TableNode,
  withoutPath,
} from './document/document.ts';
import { listTomlFiles, readSource } from './document/files.ts';
import {
  compareProblems,
  MAX_PROBLEMS,
  type Place,
  type Problem,
  problemOfFile,
  type Source,
} from './document/problem.ts';
import { hintOfWords, validate } from './document/validate.ts';
import { type FilterDirectory, type LoadedFilters, loadFilters } from './filters/filter-file.ts';
import { ownJailPresets } from './filters/jail-preset.ts';
import { servicesOf } from './jail-ports.ts';
import {
  filtersInUse,
  type KnownJail,
  knownJails,
  type Normalised,
  normalise,
  type Overrides,
  stateDirectoryOf,
} from './normalise.ts';
import { type DefaultPaths, defaultPaths, SHIPPED_FILTER_DIRECTORY, SHIPPED_PRESETS } from './paths.ts';
import type { Plan } from './plan.ts';
import { configSchema, type Settings } from './schema/settings.ts';
import { isName } from './schema/values.ts';

export type LoadOptions = {
  readonly configPath: string;
  /**
   * Where the filters are, a later directory before an earlier one. Default: the filters that come with the program,
   * then `filters` beside the configuration.
   */
  readonly filterDirectories?: readonly FilterDirectory[];
  /** Read before everything else: the jails that come with the program. Default: theirs, where it is; null for none. */
  readonly presetsPath?: string | null;
  /** Loads those filters only that an enabled jail uses, as the daemon does; otherwise every one is looked at. */
  readonly filtersInUseOnly?: boolean;
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly overrides?: Overrides;
  /** What ports are called, in the form of services(5). Default: /etc/services. */
  readonly servicesPath?: string;
  /** As if the user had written nothing: what is said by nobody but the program. Default false. */
  readonly withoutFiles?: boolean;
  /** Has the linter try forged lines on every filter too: for `bailiff lint`, too slow for a start. Default false. */
  readonly forge?: boolean;
};

export type LoadedConfig = {
  /** Null when the configuration is not to be used. With problems all the same, what they name stays out. */
  readonly plan: Plan | null;
  readonly problems: readonly Problem[];
  /** What is right, but probably not meant; none without a plan. */
  readonly warnings: readonly Problem[];
  /** The user's files that were read, in order; not the filters, and not what comes with the program. */
  readonly files: readonly string[];
  /** What those that could be read hold. */
  readonly sources: readonly Source[];
  /** Every jail that there is, on or off, as far as the files can be understood; by name. */
  readonly jails: readonly KnownJail[];
  /** Where the state is, as far as the files can be understood. */
  readonly stateDirectory: string;
};

/** Loads everything. Throws nothing for what files may contain or for files that cannot be read. */
export function loadConfig(options: LoadOptions): LoadedConfig {
  const configPath = resolve(options.configPath);
  const presetsPath = options.presetsPath === undefined ? shippedPresets() : options.presetsPath;
  const directories = options.filterDirectories ?? defaultFilterDirectories(configPath);
  const withoutFiles = options.withoutFiles === true;
  const { root, problems, files, sources } = readFiles({
    configPath,
    presetsPath,
    directories,
    withoutFiles,
  });
  const ownFiles = files.filter((file) => file !== presetsPath);
  const ownSources = sources.filter(({ file }) => file !== presetsPath);
  const read = root === null ? null : readSettings(root);
  // Of a file that says nothing none is in use, and all of them would hold up a daemon for some five seconds.
  const inUse = read?.settings ? filtersInUse(read.settings) : new Set<string>();
  const wanted = options.filtersInUseOnly === true ? inUse : null;
  const filters = loadFilters(directories, options.forge === true, wanted);
  const filterProblems = [...filters.problems, ...filters.refused.flatMap((refused) => refused.problems)];
  const stateDirectory = stateDirectoryOf(read?.settings ?? null, pathsOf(options), options.overrides ?? {});
  const jails = read?.settings ? knownJails(read.settings) : [];
  const found = { files: ownFiles, sources: ownSources, jails, stateDirectory };
  if (read === null)
    return { plan: null, problems: limit([...problems, ...filterProblems]), warnings: [], ...found };
  const { settings, sound, faults, problems: faulty } = read;
  const normalised = settings === null ? null : normaliseWith(options, settings, sound, faults, filters);
  const usable = problems.length === 0 && faulty.length === 0;
  const fatal = [...problems, ...faulty, ...(problems.length === 0 ? (normalised?.problems ?? []) : [])];
  const plan = usable && normalised?.problems.length === 0 ? normalised.plan : null;
  const ordered = inOrder(normalised?.warnings ?? [], files);
  return {
    plan,
    problems: limit([...inOrder(fatal, files), ...(normalised?.refusals ?? []), ...filterProblems]),
    warnings: plan === null ? [] : limit([...ordered, ...filters.warnings]),
    ...found,
  };
}

/** The jails that come with the program, all of them off until somebody enables one; null where there are none. */
function shippedPresets(): string | null {
  return existsSync(SHIPPED_PRESETS) ? SHIPPED_PRESETS : null;
}

/**
 * The filters that come with the program, and those of the user. In a checkout the first are those in it; a directory
 * that is both is the former.
 */
export function defaultFilterDirectories(configPath: string): readonly FilterDirectory[] {
  const own = join(dirname(configPath), 'filters');
  const directories = [{ path: SHIPPED_FILTER_DIRECTORY, strict: true }];
  return own === SHIPPED_FILTER_DIRECTORY ? directories : [...directories, { path: own, strict: false }];
}

type FilesToRead = {
  readonly configPath: string;
  readonly presetsPath: string | null;
  readonly directories: readonly FilterDirectory[];
  readonly withoutFiles: boolean;
};

type ReadFiles = {
  /** All files merged; null when one of them cannot be made sense of. */
  readonly root: TableNode | null;
  readonly problems: readonly Problem[];
  readonly files: readonly string[];
  /** What those of them that could be read hold. */
  readonly sources: readonly Source[];
};

/** What later files say takes the place of what earlier ones do; presets come before all that the user wrote. */
function readFiles({ configPath, presetsPath, directories, withoutFiles }: FilesToRead): ReadFiles {
  const problems: Problem[] = [];
  const sources: Source[] = [];
  const ownFiles = withoutFiles ? [] : ownFilesOf(configPath, problems);
  const presets = presetsPath === null ? null : readTogether([presetsPath], problems, sources);
  const own = withoutFiles ? emptyTable(beginOf(configPath)) : readTogether(ownFiles, problems, sources);
  const files = presetsPath === null ? ownFiles : [presetsPath, ...ownFiles];
  if (own === null || (presets === null && presetsPath !== null))
    return { root: null, problems, files, sources };
  const filterPresets = ownJailPresets(directories, own);
  const below = presets === null ? filterPresets : mergeTables(presets, filterPresets);
  return { root: { ...mergeTables(below, own), place: own.place }, problems, files, sources };
}

/** The file that the user names, and those of `conf.d` beside it. */
function ownFilesOf(configPath: string, problems: Problem[]): readonly string[] {
  const dropIns = join(dirname(configPath), 'conf.d');
  const names = listTomlFiles(dropIns);
  if (!('message' in names)) return [configPath, ...names.map((name) => join(dropIns, name))];
  problems.push(names);
  return [configPath];
}

function beginOf(file: string): Place {
  return { source: { file, text: '' }, offset: 0 };
}

/** The files merged; null, with what is wrong in `problems`, when one of them cannot be made sense of. */
function readTogether(files: readonly string[], problems: Problem[], sources: Source[]): TableNode | null {
  let root: TableNode | null = null;
  let isWhole = true;
  for (const file of files) {
    const source = readSource(file);
    if ('message' in source) {
      problems.push(source);
      isWhole = false;
      continue;
    }
    sources.push(source);
    const document = parseDocument(source);
    problems.push(...document.problems);
    if (document.root === null) isWhole = false;
    else root = root === null ? document.root : mergeTables(root, document.root);
  }
  return isWhole ? root : null;
}

type ReadSettings = {
  readonly settings: Settings | null;
  /** The document without what is wrong: `settings` are of it. */
  readonly sound: TableNode;
  readonly faults: readonly Path[];
  readonly problems: readonly Problem[];
};

/**
 * Holds the document against the schema. What is wrong is left out and the rest read once more, so that the rules
 * between keys are checked as well and everything that is wrong shows at once.
 */
function readSettings(root: TableNode): ReadSettings {
  const first = validate(configSchema, root, hintOf);
  if (first.value !== null) return { settings: first.value, sound: root, faults: [], problems: [] };
  const { faults, problems } = first;
  if (faults.length > MAX_PROBLEMS) return { settings: null, sound: root, faults, problems };
  const sound = faults.reduce(withoutPath, root);
  return { settings: validate(configSchema, sound).value, sound, faults, problems };
}

/** fail2ban's words, and `[sshd]` at the top, which is how it writes `[jail.sshd]`. */
function hintOf(path: Path, value: DocumentNode | null, near: string | null): string | null {
  const [key, inner] = path;
  const isPolicy = key === 'jail' || key === 'defaults' || inner === undefined;
  const advice = isPolicy ? hintOfWords(path, value, near) : null;
  if (advice !== null || near !== null || typeof key !== 'string' || inner !== undefined) return advice;
  return value?.kind === 'table' && isName(key) ? `a jail is written [jail.${key}]` : null;
}

function pathsOf({ uid, env }: LoadOptions): DefaultPaths {
  return defaultPaths(uid, env);
}

function normaliseWith(
  options: LoadOptions,
  settings: Settings,
  root: TableNode,
  faults: readonly Path[],
  filters: LoadedFilters,
): Normalised {
  return normalise({
    settings,
    root,
    filters,
    services: servicesOf(options.servicesPath ?? '/etc/services'),
    paths: pathsOf(options),
    overrides: options.overrides ?? {},
    isFaulty: (path) => faults.some((fault) => path.every((step, index) => fault[index] === step)),
  });
}

/** By file, in the order in which they were read, then by place. */
function inOrder(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = (problem: Problem): number => files.indexOf(problem.file);
  return [...problems].sort((left, right) => rank(left) - rank(right) || compareProblems(left, right));
}

function limit(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= MAX_PROBLEMS) return problems;
  const more = problemOfFile(
    problems[0]?.file ?? '',
    `there is more: these are the first ${MAX_PROBLEMS} problems`,
  );
  return [...problems.slice(0, MAX_PROBLEMS), more];
}
