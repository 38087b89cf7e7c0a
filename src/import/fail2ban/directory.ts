/**
 * A whole configuration directory of fail2ban, read and carried over: jail.conf and what belongs to it, every filter,
 * and the actions as far as they ban. Everything in it is data: nothing is run, and no file outside is followed.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readSource } from '../../config/document/files.ts';
import { isName } from '../../config/schema/values.ts';
import { OperationalError } from '../../core/errors.ts';
import { ExpressionError } from '../python-regex/expression-error.ts';
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

export type Fail2banImport = {
  readonly filters: readonly ImportedFilter[];
  readonly jails: readonly ImportedJail[];
  readonly defaults: JailPolicy;
  readonly remarks: readonly Remark[];
  /**
   * Filters that were read, and the names of those that could not be carried over; jails that were read, and others,
   * which are off.
   */
  readonly tally: {
    readonly filters: number;
    readonly refused: readonly string[];
    readonly jails: number;
    readonly off: number;
  };
};

/** Files of one directory that are read. */
const MAX_FILES = 1_000;

/**
 * Reads the directory: the jails that are on and their filters, or (`all`) every jail and every filter. Throws
 * OperationalError when there is no configuration of fail2ban in it.
 */
export function importFail2ban(
  directory: string,
  { all = false }: { readonly all?: boolean } = {},
): Fail2banImport {
  return new Importer(directory).run(all);
}

/** A filter with the options that some jails give it. */
type Variant = { readonly file: string; readonly options: Overrides; readonly jails: JailSource[] };

class Importer {
  readonly #directory: string;
  readonly #remarks: Remark[] = [];
  readonly #files = new Map<string, IniFile | null>();
  readonly #settings = new Map<string, Settings>();

  constructor(directory: string) {
    this.#directory = directory;
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
    const { filters, names, refused, count } = this.#importFilters(stems, sources);
    const jails = sources.flatMap((source) => this.#finishJail(source, names.get(source)) ?? []);
    return {
      filters,
      jails,
      defaults,
      remarks: this.#remarks,
      tally: { filters: count, refused, jails: wanted.length, off: settings.names.length - wanted.length },
    };
  }

  /** Runs something that makes remarks about one subject. */
  #about<Result>(subject: string, make: (remarks: Remarks) => Result): Result {
    const remarks = new Remarks(subject);
    const result = make(remarks);
    this.#remarks.push(...remarks.list);
    return result;
  }

  #importFilters(
    stems: readonly string[],
    jails: readonly JailSource[],
  ): { filters: ImportedFilter[]; names: Map<JailSource, string>; refused: string[]; count: number } {
    const filters: ImportedFilter[] = [];
    const names = new Map<JailSource, string>();
    const refused: string[] = [];
    const included = this.#includedFiles(stems);
    let count = 0;
    for (const stem of stems) {
      const variants = this.#variants(stem, jails);
      const isPart =
        included.has(`filter.d/${stem}.conf`) && variants.every((variant) => variant.jails.length === 0);
      if (isPart || this.#merged(`filter.d/${stem}`).raw('Definition', 'failregex') === undefined) continue;
      count++;
      let isRefused = false;
      for (const variant of variants) {
        const name = freeName(variantName(stem, variant, variants), (taken) =>
          filters.some((one) => one.name === taken),
        );
        const filter = this.#importVariant(name, stem, variant);
        if (filter === null) isRefused = true;
        else {
          filters.push(filter);
          for (const jail of variant.jails) names.set(jail, name);
        }
      }
      if (isRefused) refused.push(stem);
    }
    return { filters, names, refused, count };
  }

  #importVariant(name: string, stem: string, { file, options }: Variant): ImportedFilter | null {
    return this.#about(`filter ${name}`, (remarks) => {
      try {
        return importFilter({ name, file, settings: this.#merged(`filter.d/${stem}`), options }, remarks);
      } catch (error) {
        if (error instanceof SettingsError) remarks.refused(error.place, error.message);
        else if (error instanceof ExpressionError) remarks.refused({ file, line: 0 }, error.message);
        else throw error;
        return null;
      }
    });
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

  #finishJail(source: JailSource, filter: string | undefined): ImportedJail | null {
    return this.#about(`jail ${source.name}`, (remarks) => {
      const name = plainName(source.name);
      if (filter === undefined) {
        remarks.refused(
          source.place,
          `its filter ${source.filter} is not there or could not be carried over`,
        );
        return null;
      }
      const { isEnabled, ports, policy } = source;
      return { name, isEnabled, filter, ports, policy };
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
