/**
 * The options of fail2ban-client, read as Python's getopt reads them: they end at the first word that is none, short
 * ones may be run together, and a long one may be cut short as long as it is clear.
 */

export type ClientOptions = {
  /** `-s`: the control socket; null for the usual place. */
  readonly socket: string | null;
  /** `-c`: the directory of the configuration; null for the usual one. */
  readonly directory: string | null;
  readonly test: boolean;
  /** What is asked for instead of a command. */
  readonly instead:
    | { readonly kind: 'help' | 'version' | 'short-version' | 'interactive' | 'dump' }
    | { readonly kind: 'seconds'; readonly text: string }
    | null;
  /** The command. */
  readonly words: readonly string[];
};

/** Option by its letter or word, and whether it takes a value. */
const OPTIONS: ReadonlyMap<string, boolean> = new Map([
  ...'hdxfbtviqV'.split('').map((letter): [string, boolean] => [letter, false]),
  ...'csp'.split('').map((letter): [string, boolean] => [letter, true]),
  ...['test', 'async', 'help', 'version', 'dp', 'dump-pretty'].map((word): [string, boolean] => [
    word,
    false,
  ]),
  ...[
    'loglevel',
    'logtarget',
    'syslogsocket',
    'conf',
    'pidfile',
    'pname',
    'socket',
    'timeout',
    'str2sec',
  ].map((word): [string, boolean] => [word, true]),
]);

type GivenOption = { readonly name: string; readonly value: string };

/** Null when an option is unknown, not clear, lacks its value or has one that it does not take. */
export function readClientOptions(argv: readonly string[]): ClientOptions | null {
  const read = readOptions(argv);
  if (read === null) return null;
  const { given, words } = read;
  const last = (...names: string[]): string | null =>
    given.findLast(({ name }) => names.includes(name))?.value ?? null;
  const first = given.map(insteadOf).find((instead) => instead !== null);
  return {
    socket: last('s', 'socket'),
    directory: last('c', 'conf'),
    test: last('t', 'test') !== null,
    instead: first ?? null,
    words,
  };
}

function insteadOf({ name, value }: GivenOption): ClientOptions['instead'] {
  if (name === 'h' || name === 'help') return { kind: 'help' };
  if (name === 'V') return { kind: 'short-version' };
  if (name === 'version') return { kind: 'version' };
  if (name === 'str2sec') return { kind: 'seconds', text: value };
  if (name === 'i') return { kind: 'interactive' };
  return name === 'd' || name === 'dp' || name === 'dump-pretty' ? { kind: 'dump' } : null;
}

function readOptions(argv: readonly string[]): { given: GivenOption[]; words: readonly string[] } | null {
  const given: GivenOption[] = [];
  let index = 0;
  while (index < argv.length) {
    const word = argv[index] ?? '';
    if (!word.startsWith('-') || word === '-') break;
    index += 1;
    if (word === '--') break;
    const next = argv[index];
    const taken = word.startsWith('--') ? readLong(word.slice(2), next) : readShort(word.slice(1), next);
    if (taken === null) return null;
    given.push(...taken.given);
    if (taken.tookNext) index += 1;
  }
  return { given, words: argv.slice(index) };
}

type Taken = { readonly given: readonly GivenOption[]; readonly tookNext: boolean };

function readLong(text: string, next: string | undefined): Taken | null {
  const equals = text.indexOf('=');
  const name = longName(equals < 0 ? text : text.slice(0, equals));
  if (name === null) return null;
  const takesValue = OPTIONS.get(name) === true;
  if (!takesValue) return equals < 0 ? { given: [{ name, value: '' }], tookNext: false } : null;
  if (equals >= 0) return { given: [{ name, value: text.slice(equals + 1) }], tookNext: false };
  return next === undefined ? null : { given: [{ name, value: next }], tookNext: true };
}

/** The option that begins so, when it is one only. */
function longName(start: string): string | null {
  if (start.length > 1 && OPTIONS.has(start)) return start;
  const candidates = [...OPTIONS.keys()].filter((name) => name.length > 1 && name.startsWith(start));
  return candidates.length === 1 ? (candidates[0] ?? null) : null;
}

function readShort(letters: string, next: string | undefined): Taken | null {
  const given: GivenOption[] = [];
  for (const [index, name] of letters.split('').entries()) {
    const takesValue = OPTIONS.get(name);
    if (takesValue === undefined) return null;
    if (!takesValue) {
      given.push({ name, value: '' });
      continue;
    }
    const rest = letters.slice(index + 1);
    if (rest !== '') return { given: [...given, { name, value: rest }], tookNext: false };
    return next === undefined ? null : { given: [...given, { name, value: next }], tookNext: true };
  }
  return { given, tookNext: false };
}
