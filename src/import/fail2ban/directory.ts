/**
 * A whole configuration directory of fail2ban, read and carried over: jail.conf and what belongs to it, every filter,
 * and the actions as far as they ban. Everything in it is data: nothing is run, and no file outside is followed.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readSource } from '../../config/document/files.ts';
import { findFilters } from '../../config/filters/filter-file.ts';
import { SHIPPED_FILTER_DIRECTORY } from '../../config/paths.ts';
import { isName } from '../../config/schema/values.ts';
import { OperationalError } from '../../core/errors.ts';
import { ExpressionError } from '../python-regex/expression-error.ts';
import { compareWithOurs } from './compare.ts';
import { type ImportedFilter, importFilter } from './filter.ts';
import { type IniFile, type PlacedValue, parseIni } from './ini.ts';
import {
  type ImportedJail,
  isSwitchedOn,
  type JailPolicy,
  type JailSource,
  readDefaults,
  readJail,
} from './jail.ts';
import { type Remark, Remarks } from './remark.ts';
import { type Overrides, type ReadIni, readSettings, type Settings, SettingsError } from './settings.ts';
import { counterpartOf, isStock, modeFrom } from './stock.ts';

export type Fail2banImport = {
  readonly filters: readonly ImportedFilter[];
  readonly jails: readonly ImportedJail[];
  readonly defaults: JailPolicy;
  readonly remarks: readonly Remark[];
  /**
   * Filters that were read, the names of those that could not be carried over, and of those for which ours do; jails
   * that were read, and others, which are off.
   */
  readonly tally: {
    readonly filters: number;
    readonly refused: readonly string[];
    readonly replaced: readonly string[];
    readonly jails: number;
    readonly off: number;
  };
};

export type ImportScope = {
  /** Whether to read jails that are off and filters that none uses, too. Default: false. */
  readonly all?: boolean;
  /** The filters that come with the program, which take the place of fail2ban's; null for none of them. */
  readonly ours?: string | null;
};

/** Files of one directory that are read. */
const MAX_FILES = 1_000;

/**
 * Reads the directory: the jails that are on and their filters, or (`all`) every jail and every filter. Throws
 * OperationalError when there is no configuration of fail2ban in it.
 */
export function importFail2ban(
  directory: string,
  { all = false, ours = SHIPPED_FILTER_DIRECTORY }: ImportScope = {},
): Fail2banImport {
  return new Importer(directory, ours).run(all);
}

/** The filter that a jail has in the end, and the mode in which it reads it. */
type UsedFilter = Pick<ImportedJail, 'filter' | 'mode' | 'isOurs'>;

type ImportedFilters = {
  readonly filters: ImportedFilter[];
  readonly used: Map<JailSource, UsedFilter>;
  readonly refused: string[];
  readonly replaced: string[];
  count: number;
};

/** Options that ours can do without: how lines are read, not what is found in them. */
const INDIFFERENT: ReadonlySet<string> = new Set([
  'mode',
  'logtype',
  'datepattern',
  'journalmatch',
  'maxlines',
  'logging',
]);

/** A filter with the options that some jails give it. */
type Variant = { readonly file: string; readonly options: Overrides; readonly jails: JailSource[] };

class Importer {
  readonly #directory: string;
  readonly #remarks: Remark[] = [];
  readonly #files = new Map<string, IniFile | null>();
  readonly #settings = new Map<string, Settings>();
  readonly #ours: string | null;
  /** Names of our own filters. */
  readonly #taken: ReadonlySet<string>;

  constructor(directory: string, ours: string | null) {
    this.#directory = directory;
    this.#ours = ours;
    const { found } = findFilters(ours === null ? [] : [{ path: ours, strict: true }]);
    this.#taken = new Set(found.keys());
  }

  run(all: boolean): Fail2banImport {
    const present = this.#filterNames();
    if (present.length === 0 && !existsSync(join(this.#directory, 'jail.conf'))) {
      throw new OperationalError(`there is no configuration of fail2ban in ${this.#directory}`, {
        code: 'no-fail2ban',
        advice: 'name the directory that has jail.conf and filter.d in it',
      });
    }
    const settings = this.#merged('jail');
    const defaults = this.#about('jail.conf', (remarks) => readDefaults(settings, remarks));
    const wanted = settings.names.filter((name) => all || isSwitchedOn(name, settings));
    const sources = wanted.flatMap(
      (name) => this.#about(`jail ${name}`, (remarks) => readJail(name, settings, defaults, remarks)) ?? [],
    );
    const stems = all ? present : present.filter((stem) => sources.some(({ filter }) => filter === stem));
    const { filters, used, refused, replaced, count } = this.#importFilters(stems, sources);
    const jails = sources.flatMap((source) => this.#finishJail(source, used.get(source), defaults) ?? []);
    return {
      filters,
      jails,
      defaults,
      remarks: this.#remarks,
      tally: {
        filters: count,
        refused,
        replaced,
        jails: wanted.length,
        off: settings.names.length - wanted.length,
      },
    };
  }

  /** Runs something that makes remarks about one subject. */
  #about<Result>(subject: string, make: (remarks: Remarks) => Result): Result {
    const remarks = new Remarks(subject);
    const result = make(remarks);
    this.#remarks.push(...remarks.list);
    return result;
  }

  #importFilters(stems: readonly string[], jails: readonly JailSource[]): ImportedFilters {
    const made: ImportedFilters = { filters: [], used: new Map(), refused: [], replaced: [], count: 0 };
    const included = this.#includedFiles(stems);
    for (const stem of stems) {
      const variants = this.#variants(stem, jails);
      const isPart =
        included.has(`filter.d/${stem}.conf`) && variants.every((variant) => variant.jails.length === 0);
      if (isPart || this.#merged(`filter.d/${stem}`).raw('Definition', 'failregex') === undefined) continue;
      made.count++;
      const rest = variants.filter((variant) => !this.#useOurs(stem, variant, made));
      if (rest.length === 0) made.replaced.push(stem);
      const failed = rest.filter((variant) => !this.#makeFilter(stem, variant, variants, made));
      if (failed.length > 0) made.refused.push(stem);
    }
    return made;
  }

  /** Gives our filter to the jails, where fail2ban's is as its release has it; false where it is not. */
  #useOurs(stem: string, { file, options, jails }: Variant, { used }: ImportedFilters): boolean {
    const filter = counterpartOf(stem);
    const found = modeFrom(
      options
        .get('mode')
        ?.map(({ text }) => text)
        .join('') ?? '',
    );
    const isPlain = [...options.keys()].every((option) => INDIFFERENT.has(option));
    if (!this.#taken.has(filter) || found === null || !isPlain) return false;
    if (!isStock(stem, this.#merged(`filter.d/${stem}`))) return false;
    for (const jail of jails) {
      used.set(jail, { filter, mode: found.mode, isOurs: true });
      if (found.isExact) continue;
      this.#about(`jail ${jail.name}`, (remarks) =>
        remarks.changed(
          options.get('mode')?.[0]?.place ?? { file, line: 0 },
          `mode ${textOf(options.get('mode') ?? [])}: bailiff's filter ${filter} in mode ${found.mode} finds more than that`,
        ),
      );
    }
    return true;
  }

  /** Makes a filter for the jails of a variant; false when it is refused. */
  #makeFilter(stem: string, variant: Variant, all: readonly Variant[], made: ImportedFilters): boolean {
    const wanted = variantName(stem, variant, all);
    const name = freeName(
      this.#taken.has(wanted) ? `${wanted.slice(0, 23)}-imported` : wanted,
      (taken) => this.#taken.has(taken) || made.filters.some((one) => one.name === taken),
    );
    const filter = this.#importVariant(name, stem, variant);
    if (filter === null) return false;
    made.filters.push(filter);
    for (const jail of variant.jails) made.used.set(jail, { filter: name, mode: 'normal', isOurs: false });
    return true;
  }

  #importVariant(name: string, stem: string, { file, options, jails }: Variant): ImportedFilter | null {
    return this.#about(`filter ${name}`, (remarks) => {
      try {
        const settings = this.#merged(`filter.d/${stem}`);
        const isOfFiles = jails.length > 0 && jails.every(({ files }) => files.length > 0);
        const filter = importFilter({ name, file, settings, options, isOfFiles }, remarks);
        if (filter !== null) this.#compare(filter, counterpartOf(stem), remarks);
        return filter;
      } catch (error) {
        if (error instanceof SettingsError) remarks.refused(error.place, error.message);
        else if (error instanceof ExpressionError) remarks.refused({ file, line: 0 }, error.message);
        else throw error;
        return null;
      }
    });
  }

  /** Says what a filter does not find that ours for the same service does. */
  #compare(filter: ImportedFilter, ours: string, remarks: Remarks): void {
    if (this.#ours === null || !this.#taken.has(ours)) return;
    const compared = compareWithOurs(filter, this.#ours, ours);
    const [first] = compared?.missed ?? [];
    if (compared === null || first === undefined) return;
    remarks.note(
      { file: filter.source, line: 0 },
      `finds less than bailiff's own filter ${ours}: ${compared.missed.length} of its ${compared.all} sample lines are missed, such as ${JSON.stringify(first)}; filters = ["${ours}"] in the jail takes bailiff's`,
    );
  }

  /** The ways in which jails use a filter, or the one way of a filter that none uses. */
  #variants(stem: string, jails: readonly JailSource[]): Variant[] {
    const file = `filter.d/${stem}.conf`;
    const settings = this.#merged(`filter.d/${stem}`);
    const variants = new Map<string, Variant>();
    for (const jail of jails.filter(({ filter }) => filter === stem)) {
      const options = relevantOptions(jail.filterOptions, settings);
      const key = JSON.stringify(
        [...options].map(([option, value]) => [option, value.map(({ text }) => text)]).sort(),
      );
      const variant = variants.get(key) ?? { file, options, jails: [] };
      variant.jails.push(jail);
      variants.set(key, variant);
    }
    return variants.size === 0 ? [{ file, options: new Map(), jails: [] }] : [...variants.values()];
  }

  #finishJail(source: JailSource, used: UsedFilter | undefined, defaults: JailPolicy): ImportedJail | null {
    return this.#about(`jail ${source.name}`, (remarks) => {
      const name = plainName(source.name);
      if (used === undefined) {
        remarks.refused(
          source.place,
          `its filter ${source.filter} is not there or could not be carried over`,
        );
        return null;
      }
      const { isEnabled, ports } = source;
      // Ours reads the bans of bailiff itself, in the journal.
      const files = used.isOurs && used.filter === 'recidive' ? [] : source.files;
      // A jail of a name of ours has presets of its own, before which come fail2ban's values for all jails.
      const policy = this.#taken.has(name)
        ? { ...presetBreakers(defaults), ...source.policy }
        : source.policy;
      return { name, isEnabled, ...used, ports, files, policy };
    });
  }

  /** Names of the filters, without the suffix of their files. */
  #filterNames(): string[] {
    const names = this.#list('filter.d').filter((name) => /\.(?:conf|local)$/.test(name));
    return [...new Set(names.map((name) => name.replace(/\.[^.]+$/, '')))];
  }

  #includedFiles(stems: readonly string[]): ReadonlySet<string> {
    const files = stems.flatMap((stem) => this.#read(`filter.d/${stem}.conf`) ?? []);
    const lines = files.flatMap(({ sections }) => {
      const includes = sections.get('INCLUDES');
      return [...(includes?.get('before') ?? []), ...(includes?.get('after') ?? [])];
    });
    return new Set(lines.map(({ text }) => `filter.d/${text}`));
  }

  /** `jail` and so on: NAME.conf, NAME.d/*.conf, NAME.local, NAME.d/*.local. */
  #merged(name: string): Settings {
    let settings = this.#settings.get(name);
    if (settings === undefined) {
      const parts = this.#list(`${name}.d`).map((part) => `${name}.d/${part}`);
      const ofKind = (suffix: string): string[] => [
        `${name}${suffix}`,
        ...parts.filter((part) => part.endsWith(suffix)),
      ];
      const read: ReadIni = (path) => this.#read(path);
      settings = readSettings([...ofKind('.conf'), ...ofKind('.local')], read);
      this.#settings.set(name, settings);
    }
    return settings;
  }

  /** Names of the files in a directory, sorted; none when it is not there. */
  #list(path: string): string[] {
    const directory = join(this.#directory, path);
    if (!existsSync(directory)) return [];
    const names = readdirSync(directory).sort();
    if (names.length > MAX_FILES) {
      this.#about('', (remarks) =>
        remarks.refused({ file: path, line: 0 }, `holds more than ${MAX_FILES} files; the rest is not read`),
      );
    }
    return names.slice(0, MAX_FILES).filter((name) => /^[\w][\w.+-]*$/.test(name));
  }

  /** Null for a file that is not there, or that cannot be read. */
  #read(path: string): IniFile | null {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = this.#readNew(path);
      this.#files.set(path, file);
    }
    return file;
  }

  #readNew(path: string): IniFile | null {
    const full = join(this.#directory, path);
    if (!existsSync(full)) return null;
    const source = readSource(full);
    return this.#about('', (remarks) => {
      if ('message' in source) {
        remarks.refused({ file: path, line: 0 }, source.message);
        return null;
      }
      const file = parseIni(path, source.text);
      for (const { place, message } of file.faults) remarks.refused(place, message);
      return file;
    });
  }
}

/** Options that the filter makes use of, and that are not its own already. */
function relevantOptions(options: Overrides, settings: Settings): Overrides {
  return new Map(
    [...options].filter(([option, value]) => {
      if (/regex$|^(?:datepattern|journalmatch|logtype)$/.test(option)) return true;
      if (option === 'maxlines' || !settings.mentions(option)) return false;
      const own = settings.raw('Init', option) ?? settings.raw('Definition', option);
      return own === undefined || textOf(own) !== textOf(value);
    }),
  );
}

/** What the preset of a jail may say otherwise. */
function presetBreakers({ findTime, banTime, maxRetry }: JailPolicy): JailPolicy {
  return {
    ...(findTime === undefined ? {} : { findTime }),
    ...(banTime === undefined ? {} : { banTime }),
    ...(maxRetry === undefined ? {} : { maxRetry }),
  };
}

function textOf(value: PlacedValue): string {
  return value.map(({ text }) => text).join('\n');
}

/** The variant of the jail that has the filter's name is named like it; others tell their options. */
function variantName(stem: string, variant: Variant, all: readonly Variant[]): string {
  const isMain = (one: Variant): boolean => one.jails.some(({ name }) => name === stem);
  const main = all.find(isMain) ?? all.find(({ options }) => options.size === 0) ?? all[0];
  if (variant === main) return plainName(stem);
  const [jail] = variant.jails;
  const options = [...variant.options.values()].map(textOf).join('-');
  return plainName(/^[\w.-]{1,16}$/.test(options) ? `${stem}-${options}` : (jail?.name ?? stem));
}

/** A name that jails and filters may have. */
function plainName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 32);
  return isName(plain) ? plain : 'imported';
}

function freeName(name: string, isTaken: (name: string) => boolean): string {
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? name : `${name.slice(0, 28)}-${count}`;
    if (!isTaken(candidate)) return candidate;
  }
}
