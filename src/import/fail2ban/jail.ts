/** The jails of fail2ban: which filter, how many failures in what time, how long a ban, from which ports. */
import { parseNetwork } from '../../core/address/address.ts';
import type { RuleMode } from '../../core/failure.ts';
import { asOverrides, type Call, readCalls } from './call.ts';
import type { FilePlace, PlacedValue } from './ini.ts';
import { readPorts } from './ports.ts';
import { Remarks } from './remark.ts';
import { type Overrides, Resolver, type Settings, SettingsError } from './settings.ts';

/** Times in seconds, -1 for ever. What is absent is as in the defaults. */
export type JailPolicy = {
  readonly findTime?: number;
  readonly banTime?: number;
  readonly maxRetry?: number;
  readonly ignore?: readonly string[];
};

export type ImportedJail = {
  readonly name: string;
  readonly isEnabled: boolean;
  /** The name of a filter that was imported or, with `isOurs`, of one that comes with the program. */
  readonly filter: string;
  readonly isOurs: boolean;
  readonly mode: RuleMode;
  readonly ports: readonly string[];
  /** Log files that it reads, other than those of syslogd. */
  readonly files: readonly string[];
  readonly policy: JailPolicy;
};

/** A jail as far as its own file tells; its filter is still to be imported. */
export type JailSource = {
  readonly name: string;
  readonly place: FilePlace;
  readonly isEnabled: boolean;
  readonly filter: string;
  /** Options for the filter: those in brackets, and those of the jail that stand before the filter's own. */
  readonly filterOptions: Overrides;
  readonly ports: readonly string[];
  /** Log files that it reads, other than those of syslogd. */
  readonly files: readonly string[];
  readonly policy: JailPolicy;
};

/** Options of a filter that a jail may set itself. */
const FILTER_OPTIONS = ['failregex', 'ignoreregex', 'prefregex', 'datepattern', 'journalmatch', 'maxlines'];

/** Actions that ban in a firewall, which bailiff does by itself. */
const FIREWALL_ACTIONS =
  /^(?:iptables|nftables|firewallcmd|ufw|ipset|pf$|ipfw|bsd-ipfw|ipfilter|shorewall|route|npf|osx|afctl|hostsdeny)/;

/** Reads what holds for all jails. */
export function readDefaults(settings: Settings, remarks: Remarks): JailPolicy {
  return new JailReader('DEFAULT', settings, remarks).policy({});
}

/** Whether a jail is on; one that cannot be told counts as on, so that reading it says why. */
export function isSwitchedOn(name: string, settings: Settings): boolean {
  return new JailReader(name, settings, new Remarks('')).isEnabled() !== false;
}

/** Reads a jail; null when it cannot be carried over, and the remarks say why. */
export function readJail(
  name: string,
  settings: Settings,
  defaults: JailPolicy,
  remarks: Remarks,
): JailSource | null {
  const reader = new JailReader(name, settings, remarks);
  try {
    return reader.read(defaults);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    remarks.refused(error.place, error.message);
    return null;
  }
}

class JailReader {
  readonly #name: string;
  readonly #settings: Settings;
  readonly #resolver: Resolver;
  readonly #remarks: Remarks;
  readonly #place: FilePlace;

  constructor(name: string, settings: Settings, remarks: Remarks) {
    this.#name = name;
    this.#settings = settings;
    this.#remarks = remarks;
    const first = settings.optionsOf(name)[0];
    this.#place = (first === undefined ? undefined : settings.raw(name, first)?.[0]?.place) ?? {
      file: 'jail.conf',
      line: 0,
    };
    const given = { fail2ban_version: '1.0', fail2ban_confpath: '.' };
    this.#resolver = new Resolver(settings, asOverrides(new Map(Object.entries(given)), this.#place));
  }

  /** Null when it cannot be made out. */
  isEnabled(): boolean | null {
    try {
      return /^(?:1|yes|true|on)$/i.test(this.#text('enabled'));
    } catch (error) {
      if (error instanceof SettingsError) return null;
      throw error;
    }
  }

  read(defaults: JailPolicy): JailSource | null {
    const calls = readCalls(this.#text('filter'));
    const [filter] = calls ?? [];
    if (filter === undefined || calls?.length !== 1 || !/^[\w.-]+$/.test(filter.name)) {
      this.#remarks.refused(this.#placeOf('filter'), 'names no filter that can be read');
      return null;
    }
    const isEnabled = this.isEnabled() === true;
    const ports = this.#ports();
    if (ports === null) return null;
    this.#noteRest();
    const own = FILTER_OPTIONS.filter((option) => this.#settings.optionsOf(this.#name).includes(option));
    return {
      name: this.#name,
      place: this.#place,
      isEnabled,
      filter: filter.name,
      filterOptions: new Map([
        ...asOverrides(filter.options, this.#placeOf('filter')),
        ...own.map((option) => [option, this.#lines(option)] as const),
      ]),
      ports,
      files: this.#files(),
      policy: this.policy(defaults),
    };
  }

  /** What differs from `defaults`. */
  policy(defaults: JailPolicy): JailPolicy {
    const own: { -readonly [Key in keyof JailPolicy]: JailPolicy[Key] } = {};
    const [findTime, banTime] = [this.#time('findtime'), this.#time('bantime')];
    if (findTime !== null && findTime > 0 && findTime !== defaults.findTime) own.findTime = findTime;
    if (banTime !== null && banTime !== defaults.banTime) own.banTime = banTime;
    const maxRetry = this.#text('maxretry');
    if (/^\d{1,4}$/.test(maxRetry) && Number(maxRetry) !== defaults.maxRetry) {
      own.maxRetry = Math.min(1_000, Math.max(1, Number(maxRetry)));
    }
    const ignore = this.#ignore();
    if (ignore !== null && ignore.join() !== defaults.ignore?.join()) own.ignore = ignore;
    return own;
  }

  #lines(option: string): PlacedValue {
    return this.#resolver.value(this.#name, option) ?? [];
  }

  #text(option: string): string {
    return this.#lines(option)
      .map(({ text }) => text)
      .join('\n')
      .trim();
  }

  /** Whether it is said here, and not for all jails: then it is remarked on there. */
  #isOwn(option: string): boolean {
    return this.#settings.optionsOf(this.#name).includes(option);
  }

  #placeOf(option: string): FilePlace {
    return this.#settings.raw(this.#name, option)?.[0]?.place ?? this.#place;
  }

  /** Null when it is not set or not understood. */
  #time(option: string): number | null {
    const text = this.#text(option);
    if (text === '') return null;
    const seconds = readTime(text);
    if (seconds === null || seconds === 0)
      this.#remarks.refused(this.#placeOf(option), `${option}: ${text} is not understood`);
    return seconds === 0 ? null : seconds;
  }

  /** The ignore list; null when there is none. fail2ban ignores the host's own addresses besides, and so do we. */
  #ignore(): string[] | null {
    const lines = this.#lines('ignoreip');
    const words = lines.flatMap(({ text, place }) => text.split(/[\s,]+/).map((word) => ({ word, place })));
    const networks = words.flatMap(({ word, place }) => {
      if (word === '') return [];
      const network = parseNetwork(word);
      if (network === null && this.#isOwn('ignoreip'))
        this.#remarks.refused(place, `ignoreip: ${word} is no address or network; names are not resolved`);
      return network ?? [];
    });
    return networks.length === 0 ? null : networks;
  }

  /** The ports of all actions that ban; an empty list for the whole host, null for a jail that does not ban. */
  #ports(): string[] | null {
    const calls = readCalls(this.#text('action'));
    const place = this.#placeOf('action');
    if (calls === null) {
      this.#remarks.changed(place, 'action: it is not understood; the ban is from the whole host');
      return [];
    }
    const banning = calls.filter(({ name }) => FIREWALL_ACTIONS.test(name));
    for (const { name } of calls) {
      if (!FIREWALL_ACTIONS.test(name))
        this.#remarks.refused(place, `action ${name}: only bans are carried over`);
    }
    if (banning.some(({ options }) => /^(?:RETURN|ACCEPT)$/i.test(options.get('blocktype') ?? ''))) {
      this.#remarks.refused(place, 'it lets addresses through instead of banning them');
      return null;
    }
    const ports: string[] = [];
    for (const call of banning) {
      const scope = this.#portsOf(call);
      if (scope.length === 0) return [];
      ports.push(...scope);
    }
    return [...new Set(ports)];
  }

  #portsOf({ name, options }: Call): readonly string[] {
    if (/allports|route|hostsdeny/.test(name)) return [];
    const [ports, protocol] = [options.get('port') ?? '', options.get('protocol') || 'tcp'];
    const scope = readPorts(ports, protocol);
    if (scope !== null) return scope;
    this.#remarks.changed(
      this.#placeOf('port'),
      `port: ${ports || 'none'} (${protocol}) becomes the whole host`,
    );
    return [];
  }

  /** Settings that have no counterpart. */
  #noteRest(): void {
    for (const [option, what] of [
      ['ignorecommand', 'commands are not run to ask whether an address is to be ignored'],
      ['bantime.increment', 'bans do not grow with their number'],
    ] as const) {
      const text = this.#text(option);
      if (text !== '' && !/^(?:0|no|false|off)$/i.test(text))
        this.#remarks.refused(this.#placeOf(option), `${option}: ${what}`);
    }
  }

  /** Log files whose lines come neither to the journal nor to syslog by themselves. */
  #files(): string[] {
    if (/^systemd/.test(this.#text('backend'))) return [];
    const lines = this.#lines('logpath').filter(({ text }) => text !== '');
    if (lines.every(({ text }) => SYSLOG_FILES.test(text))) return [];
    return lines.flatMap(({ text, place }) => {
      const path = text.replace(/\s+(?:tail|head)$/, '');
      if (LOG_PATH.test(path)) return path;
      this.#remarks.refused(place, `logpath: ${path} is no path that rsyslog can be told`);
      return [];
    });
  }
}

/** Files into which syslogd writes what comes to the journal too. */
const SYSLOG_FILES = /^\/var\/log\/(?:auth|secure|mail|user|daemon|syslog|messages)/;

/** An absolute path, also with wildcards, of characters that mean nothing else to rsyslog. */
const LOG_PATH = /^\/[\w.,+@=:~/*?[\]-]{1,1000}$/;

const UNIT_SECONDS: readonly (readonly [RegExp, number])[] = [
  [/^y/, 31_557_600],
  [/^mo/, 2_629_800],
  [/^w/, 604_800],
  [/^d/, 86_400],
  [/^h/, 3_600],
  [/^m/, 60],
  [/^(?:s|$)/, 1],
];

/** Ten years; bailiff takes no longer time but for ever. */
const MAX_SECONDS = 315_360_000;

/** `600`, `10m`, `1h 30m`, `60*60`, negative for ever (-1). Null for anything else. */
export function readTime(text: string): number | null {
  if (/^-\d+$/.test(text)) return -1;
  if (/^\d{1,9}(?:\s*\*\s*\d{1,9})*$/.test(text)) {
    return Math.min(
      MAX_SECONDS,
      text.split('*').reduce((product, factor) => product * Number(factor), 1),
    );
  }
  if (!/^(?:\d{1,9}(?:\.\d{1,3})?\s*[a-z]+\s*)+$/i.test(text)) return null;
  let seconds = 0;
  for (const [, count, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    const size = UNIT_SECONDS.find(([name]) => name.test(unit.toLowerCase()))?.[1];
    if (size === undefined) return null;
    seconds += Number(count) * size;
  }
  return Math.min(MAX_SECONDS, Math.round(seconds));
}
