/** The options of one filter of fail2ban, with everything put in, in the forms in which its lines come. */
import type { FilePlace, PlacedValue } from './ini.ts';
import { type Overrides, Resolver, type Settings } from './settings.ts';

export type FilterSource = {
  /** The name to be. */
  readonly name: string;
  readonly file: string;
  readonly settings: Settings;
  /** Options in brackets after the filter's name. */
  readonly options: Overrides;
  /** Whether its lines are those of log files, which are sent under a name that it reads. Default: false. */
  readonly isOfFiles?: boolean;
};

/** A filter as it reads the lines of syslogd, those of the journal, and lines of files without either's header. */
export type Forms = {
  readonly file: Definition;
  readonly journal: Definition;
  readonly bare: Definition;
};

export function readForms(source: FilterSource): Forms {
  return {
    file: new Definition(source, 'file'),
    journal: new Definition(source, 'journal'),
    bare: new Definition({ ...source, settings: withoutHeader(source.settings) }, 'file'),
  };
}

/** The options under one `logtype`. */
export class Definition {
  readonly #settings: Settings;
  readonly #resolver: Resolver;

  constructor({ settings, options, file }: FilterSource, logType: 'file' | 'journal') {
    const place: FilePlace = { file, line: 0 };
    const isSet = options.has('logtype') || settings.optionsOf('Definition').includes('logtype');
    const given: Overrides = isSet ? options : new Map([...options, ['logtype', [{ text: logType, place }]]]);
    this.#settings = settings;
    this.#resolver = new Resolver(settings, given);
  }

  /** The lines of an option that are not empty; [Init] comes before [Definition]. Throws SettingsError. */
  lines(option: string): PlacedValue {
    const section = this.#settings.optionsOf('Init').includes(option) ? 'Init' : 'Definition';
    const value = this.#resolver.tagged(section, option) ?? [];
    return value.map(({ text, place }) => ({ text: text.trim(), place })).filter(({ text }) => text !== '');
  }

  /** The option as one text; undefined when it is not there. Throws SettingsError. */
  text(option: string): string | undefined {
    const lines = this.lines(option);
    return lines.length === 0 ? undefined : lines.map(({ text }) => text).join('\n');
  }
}

/** What fail2ban's own common.conf sets for the beginning of a line, without what only syslogd and kernels write. */
const BARE_PREFIX = '<__date_ambit>?\\s*(?:<__hostname>\\s+)?(?:<__daemon_combs_re>\\s+)?';

/** The settings with a shorter `__prefix_line`, where it is that of common.conf. */
function withoutHeader(settings: Settings): Settings {
  const prefix = settings.raw('lt_file', '__prefix_line');
  const [line] = prefix ?? [];
  if (line === undefined || !line.text.includes('<__hostname>')) return settings;
  const bare = settings.copy();
  bare.set('lt_file', '__prefix_line', [{ text: BARE_PREFIX, place: line.place }]);
  return bare;
}
