/**
 * The settings of one subject (the jails, a filter, an action), merged out of all files that have a say, as fail2ban
 * merges them: NAME.conf, NAME.d/*.conf, NAME.local, NAME.d/*.local, each after what it includes `before` it and before
 * what it includes `after` it, each with the .local file beside it. jail.conf(5), "CONFIGURATION FILES FORMAT".
 */
import type { FilePlace, IniFile, IniSection, PlacedLine, PlacedValue } from './ini.ts';

/** Reads one file below the configuration directory; null when it is not there. Faults are the reader's affair. */
export type ReadIni = (path: string) => IniFile | null;

/** Files that one subject is made of, at most. */
const MAX_FILES = 200;
/** How often values may be put into values, and how long they may become. */
const MAX_SUBSTITUTIONS = 5_000;
const MAX_VALUE_LENGTH = 262_144;

/** A value that cannot be made out, and where. */
export class SettingsError extends Error {
  readonly place: FilePlace;

  constructor(message: string, place: FilePlace) {
    super(message);
    this.place = place;
  }
}

export class Settings {
  readonly #sections = new Map<string, IniSection>();

  /** Adds one file; what it says takes the place of what was said before. */
  add({ sections }: IniFile): void {
    for (const [title, options] of sections) {
      const conditional = /^(\w+)(\?.+)$/.exec(title);
      const name = conditional?.[1] ?? title;
      const section = this.#sections.get(name) ?? new Map();
      const known = this.#sections.get(`KNOWN/${name}`) ?? new Map();
      for (const [option, value] of options) {
        const key = option + (conditional?.[2] ?? '');
        const before = section.get(key);
        if (before !== undefined) known.set(key, before);
        section.set(key, value);
      }
      this.#sections.set(name, section);
      this.#sections.set(`KNOWN/${name}`, known);
    }
  }

  /** Names of sections, without DEFAULT and INCLUDES. */
  get names(): readonly string[] {
    return [...this.#sections.keys()].filter((name) => !/^(?:DEFAULT|INCLUDES|KNOWN\/.*)$/.test(name));
  }

  has(section: string): boolean {
    return this.#sections.has(section);
  }

  copy(): Settings {
    const copied = new Settings();
    for (const [name, options] of this.#sections) copied.#sections.set(name, new Map(options));
    return copied;
  }

  set(section: string, option: string, value: PlacedValue): void {
    const options = this.#sections.get(section) ?? new Map();
    options.set(option, value);
    this.#sections.set(section, options);
  }

  /** Options of a section itself, without the defaults. */
  optionsOf(section: string): readonly string[] {
    return [...(this.#sections.get(section)?.keys() ?? [])];
  }

  /** Whether some value refers to an option. */
  mentions(option: string): boolean {
    const references = [`<${option}>`, `%(${option})s`];
    return [...this.#sections.values()].some((options) =>
      [...options.values()].some((value) =>
        value.some(({ text }) => references.some((reference) => text.toLowerCase().includes(reference))),
      ),
    );
  }

  /** The value as it is written; undefined when neither the section nor DEFAULT has it. */
  raw(section: string, option: string): PlacedValue | undefined {
    const key = option.toLowerCase();
    return this.#sections.get(section)?.get(key) ?? this.#sections.get('DEFAULT')?.get(key);
  }

  /**
   * The value that `%(option)s` or `<option>` means in a section; `section/option` and `known/option` are told apart.
   */
  refer(
    section: string,
    option: string,
  ): { readonly value: PlacedValue; readonly section: string } | undefined {
    const slash = option.indexOf('/');
    if (slash < 0) return inSection(this.raw(section, option), section);
    const [named, rest] = [option.slice(0, slash), option.slice(slash + 1)];
    const lower = named.toLowerCase();
    const where = lower === 'known' ? `KNOWN/${section}` : lower === 'default' ? 'DEFAULT' : named;
    const key = rest.toLowerCase();
    const own = this.#sections.get(where)?.get(key) ?? this.#sections.get('DEFAULT')?.get(key);
    return inSection(own, lower === 'known' ? section : where);
  }
}

function inSection(
  value: PlacedValue | undefined,
  section: string,
): { readonly value: PlacedValue; readonly section: string } | undefined {
  return value === undefined ? undefined : { value, section };
}

/** Files in the order in which they are merged. `main` are the paths, most general first. */
export function readSettings(main: readonly string[], read: ReadIni): Settings {
  const settings = new Settings();
  let count = 0;
  const visit = (path: string, above: readonly string[]): void => {
    if (above.includes(path) || above.length > MAX_FILES) return;
    const file = read(path);
    if (file === null || ++count > MAX_FILES) return;
    const includes = file.sections.get('INCLUDES');
    const inner = [...above, path];
    for (const other of includedPaths(path, includes?.get('before'))) visitWithLocal(other, inner);
    settings.add(file);
    for (const other of includedPaths(path, includes?.get('after'))) visitWithLocal(other, inner);
  };
  const visitWithLocal = (path: string, above: readonly string[]): void => {
    visit(path, above);
    if (!path.endsWith('.local')) visit(path.replace(/\.[^./]*$/, '.local'), above);
  };
  for (const path of main) visit(path, []);
  return settings;
}

/** Paths are relative to the file that includes; one that leads out of the directory is not followed. */
function includedPaths(path: string, value: PlacedValue | undefined): string[] {
  const directory = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : '';
  return (value ?? []).flatMap(({ text }) => {
    const isInside = text !== '' && !text.startsWith('/') && !text.split('/').includes('..');
    return isInside ? [directory + text] : [];
  });
}

/** Values that stand before those of the files: the options in brackets after a filter's name. */
export type Overrides = ReadonlyMap<string, PlacedValue>;

/** Reads values with everything put in that they refer to. */
export class Resolver {
  readonly #settings: Settings;
  readonly #overrides: Overrides;
  #substitutions = 0;

  constructor(settings: Settings, overrides: Overrides) {
    this.#settings = settings;
    this.#overrides = overrides;
  }

  /** The lines of an option with `%(name)s` replaced; undefined when there is none. Throws SettingsError. */
  value(section: string, option: string): PlacedValue | undefined {
    const override = this.#overrides.get(option.toLowerCase());
    if (override !== undefined) return override;
    const raw = this.#settings.raw(section, option);
    return raw === undefined ? undefined : this.#interpolate(raw, section, [option]);
  }

  /** As `value`, with `<name>` replaced too, as filters and actions do. */
  tagged(section: string, option: string): PlacedValue | undefined {
    const value = this.value(section, option);
    return value === undefined ? undefined : this.#replaceTags(value, section);
  }

  #interpolate(value: PlacedValue, section: string, path: readonly string[]): PlacedValue {
    return value.flatMap((line) =>
      this.#substitute(line, /%(?:%|\(([^)]*)\)s)/g, ([whole, name]) => {
        if (whole === '%%' || name === undefined) return [{ text: '%', place: line.place }];
        if (path.includes(name)) throw new SettingsError(`%(${name})s refers to itself`, line.place);
        if (name === '__name__') return [{ text: section, place: line.place }];
        const override = this.#overrides.get(name.toLowerCase());
        if (override !== undefined) return override;
        const target = this.#settings.refer(section, name);
        if (target === undefined) throw new SettingsError(`%(${name})s is not set anywhere`, line.place);
        return this.#interpolate(target.value, target.section === 'DEFAULT' ? section : target.section, [
          ...path,
          name,
        ]);
      }),
    );
  }

  /** Tags may be nested, as in `<re-<mode>>`: the inner ones go first, again and again until nothing changes. */
  #replaceTags(value: PlacedValue, section: string): PlacedValue {
    let current = value;
    for (;;) {
      let isChanged = false;
      current = current.flatMap((line) =>
        this.#substitute(line, /<([^ <>]+)>/g, ([whole, name = '']) => {
          const replacement = this.#tag(name, section);
          if (replacement === undefined) return [{ text: whole, place: line.place }];
          isChanged = true;
          return replacement;
        }),
      );
      if (!isChanged) return current;
    }
  }

  #tag(name: string, section: string): PlacedValue | undefined {
    const override = this.#overrides.get(name.toLowerCase());
    if (override !== undefined) return override;
    const candidate = this.#settings.optionsOf('Init').includes(name.toLowerCase()) ? 'Init' : section;
    const target = this.#settings.refer(candidate, name);
    if (target === undefined) return undefined;
    return this.#interpolate(target.value, target.section === 'DEFAULT' ? candidate : target.section, [name]);
  }

  /**
   * Replaces in one line. A replacement of several lines breaks the line; a line that is nothing but a reference takes
   * the place of what it refers to, so that a report can point at where the text was written.
   */
  #substitute(
    line: PlacedLine,
    expression: RegExp,
    replace: (match: RegExpExecArray) => PlacedValue,
  ): PlacedLine[] {
    const lines: PlacedLine[] = [{ text: '', place: line.place }];
    let length = 0;
    const append = (text: string, place: FilePlace): void => {
      const last = lines.length - 1;
      const before = lines[last] ?? line;
      lines[last] = { text: before.text + text, place: before.text === '' ? place : before.place };
      length += text.length;
    };
    let end = 0;
    for (const match of line.text.matchAll(expression)) {
      if (match.index > end) append(line.text.slice(end, match.index), line.place);
      end = match.index + match[0].length;
      for (const [index, part] of replace(match).entries()) {
        if (index > 0) lines.push({ text: '', place: part.place });
        append(part.text, part.place);
      }
      if (++this.#substitutions > MAX_SUBSTITUTIONS || length > MAX_VALUE_LENGTH) {
        throw new SettingsError('too much is put into this value', line.place);
      }
    }
    if (end < line.text.length) append(line.text.slice(end), line.place);
    return lines;
  }
}
