/**
 * Which records a filter reads. fail2ban's filters name their program in an expression, `_daemon`, and the journal's
 * fields in `journalmatch`; a rule file lists identifiers, and fields that journald vouches for.
 */
import type { FilterInput } from '../../match/filter.ts';
import { listTexts } from '../python-regex/backreferences.ts';
import { ExpressionError } from '../python-regex/expression-error.ts';
import { parsePython } from '../python-regex/parse.ts';
import { isNullable, itemsOf, keepGroups, sequence, type Tree } from '../python-regex/tree.ts';
import type { PlacedValue } from './ini.ts';
import type { Remarks } from './remark.ts';

export type Program = {
  /** As FilterInput has them, a trailing `*` for any rest. */
  readonly identifiers: readonly string[];
  /** Names of which each is one that the expression matches, to try headers with. */
  readonly samples: readonly string[];
};

/** Names of programs that one expression is written out to. */
const MAX_NAMES = 40;

/** What journalmatch names. */
export type JournalMatch = {
  readonly units: readonly string[];
  readonly identifiers: readonly string[];
  /** Names and images of containers. */
  readonly containers: readonly string[];
};

/** The programs that `_daemon` names; null for one that can be any. Throws ExpressionError. */
export function readProgram(daemon: string): Program | null {
  const tree = keepGroups(parsePython(daemon.trim()), () => false);
  const names = listTexts(tree, MAX_NAMES);
  if (names !== null) return programOf(names.map((name) => ({ text: name.trim(), isOpen: false })));
  return programOf(beginnings(tree));
}

type Beginning = { readonly text: string; readonly isOpen: boolean };

function programOf(beginnings: readonly Beginning[]): Program | null {
  const named = beginnings.filter(({ text }) => text !== '' || beginnings.every((one) => one.text === ''));
  if (named.length === 0 || named.some(({ text }) => text === '')) return null;
  const identifiers = named.map(({ text, isOpen }) => (isOpen ? `${text}*` : text));
  const open = named.filter(({ isOpen }) => isOpen).map(({ text }) => text);
  const needed = identifiers.filter(
    (name) => !open.some((head) => name !== `${head}*` && name.startsWith(head)),
  );
  return { identifiers: [...new Set(needed)], samples: [...new Set(named.flatMap(samplesOf))] };
}

function samplesOf({ text, isOpen }: Beginning): string[] {
  return isOpen ? [text, `${text}x`, `${text}1`, `${text}/x`, `${text}/smtpd`] : [text];
}

/** The texts that a match can begin with, as far as they are known. */
function beginnings(tree: Tree): Beginning[] {
  const whole = listTexts(tree, MAX_NAMES);
  if (whole !== null) return whole.map((text) => ({ text, isOpen: false }));
  if (tree.kind === 'choice') return tree.options.flatMap(beginnings).slice(0, MAX_NAMES);
  if (tree.kind !== 'sequence') return isNullable(tree) ? [{ text: '', isOpen: true }] : headOf(tree);
  let heads: Beginning[] = [{ text: '', isOpen: false }];
  for (const item of tree.items) {
    const tails = beginnings(item);
    heads = heads.flatMap((head) =>
      head.isOpen ? [head] : tails.map((tail) => ({ text: head.text + tail.text, isOpen: tail.isOpen })),
    );
    heads = heads.slice(0, MAX_NAMES);
  }
  return heads;
}

function headOf(tree: Tree): Beginning[] {
  if (tree.kind === 'repeat' || tree.kind === 'group') {
    return beginnings(tree.body).map(({ text }) => ({ text, isOpen: true }));
  }
  return [{ text: '', isOpen: true }];
}

/**
 * Reads journalmatch: groups of FIELD=value, all of which must hold, the groups joined by `+` (journalctl(1)). _COMM can
 * be changed by the process itself, so it becomes an identifier; so does the tag of a container, which its engine
 * writes as one (docs.docker.com/engine/logging/drivers/journald).
 */
export function readJournalMatch(value: PlacedValue, remarks: Remarks): JournalMatch {
  const found = { units: new Set<string>(), identifiers: new Set<string>(), containers: new Set<string>() };
  for (const { text, place } of value) {
    for (const term of text.split(/\s+/)) {
      const [, field = '', content = ''] = /^(\w+)=(.+)$/.exec(term.replaceAll(/["']/g, '')) ?? [];
      const kind = JOURNAL_FIELDS.get(field);
      if (kind !== undefined) found[kind].add(content);
      else if (term !== '' && term !== '+') remarks.changed(place, `journalmatch: ${term} is not looked at`);
    }
  }
  const [units, identifiers, containers] = [[...found.units], [...found.identifiers], [...found.containers]];
  // An engine is believed where the filter reads its container, and is no service of its own.
  const services = containers.length === 0 ? units : units.filter((unit) => !CONTAINER_ENGINES.test(unit));
  return { units: services, identifiers, containers };
}

const JOURNAL_FIELDS: ReadonlyMap<string, keyof JournalMatch> = new Map([
  ['_SYSTEMD_UNIT', 'units'],
  ['_COMM', 'identifiers'],
  ['SYSLOG_IDENTIFIER', 'identifiers'],
  ['CONTAINER_TAG', 'identifiers'],
  ['CONTAINER_NAME', 'containers'],
  ['IMAGE_NAME', 'containers'],
] as const);

const CONTAINER_ENGINES = /^(?:docker|containerd|podman)\.service$/;

/**
 * Puts together what is known; `literal` are names in expressions. `name` is the filter's, which stands in for a
 * program that is named nowhere.
 */
export function inputOf(
  name: string,
  program: Program | null | undefined,
  journal: JournalMatch,
  literal: readonly string[],
): FilterInput {
  const fallback = program === undefined ? [...new Set([name, name.split('-')[0] ?? name])] : [];
  const named = [...new Set([...(program?.identifiers ?? []), ...journal.identifiers, ...literal])];
  const identifiers = program === null ? journal.identifiers : named.length > 0 ? named : fallback;
  const uids = journal.units.length === 0 || journal.identifiers.length > 0 ? [0] : [];
  const containers = journal.containers.length === 0 ? {} : { containers: journal.containers };
  return { identifiers, journal: { uids, units: journal.units, executables: [], ...containers } };
}

/**
 * Names that a message itself may begin with, as in `pop3-login: Aborted login`: where the line has no other, syslogd
 * takes them for the program. Only names with a hyphen: words alone are rather a level, or the message.
 */
export function programsWithin(message: Tree): string[] {
  const items = itemsOf(keepGroups(message, () => false));
  const required = items.findIndex((item) => !isNullable(item));
  const starts = items.slice(0, required + 1).map((_, index) => sequence(items.slice(index)));
  const heads = starts.flatMap(beginnings).flatMap(({ text }) => {
    const name = /^([a-z][a-z0-9]*-[a-z0-9-]{1,30}): /.exec(text)?.[1];
    return name ?? [];
  });
  return [...new Set(heads)];
}

/** What may stand before a program's name in an expression: the line's beginning, blanks, any text, a host. */
const BEFORE_NAME = String.raw`\^?(?:\.[*+]\??|\\[sS][*+]?\??|\\b| )*`;
/** `name\[\d+\]: `, or `name: `, which may be a level or a field too. */
const NAME_WITH_PID = new RegExp(
  String.raw`^${BEFORE_NAME}([A-Za-z](?:\w|\\?[.-](?=\w)){1,30})\\\[(?:\\d|\[0-9\]|\[\^\\?\]\])[*+]\\\]`,
);
const NAME_ALONE = new RegExp(String.raw`^${BEFORE_NAME}([A-Za-z](?:\w|\\?[.-](?=\w)){1,30}):(?: |\\s)`);
const NO_PROGRAM =
  /^(?:\w*(?:err|error|warn|warning|info|notice|debug|trace|fatal|alert|crit|critical|message|msg|failed|failure))$/i;

/** Names of programs with which expressions begin by themselves, as in `^.*shop\[\d+\]: refused`. */
export function literalPrograms(expressions: PlacedValue): string[] {
  const names = expressions.flatMap(({ text }) => {
    const name = NAME_WITH_PID.exec(text)?.[1] ?? NAME_ALONE.exec(text)?.[1];
    return name === undefined || NO_PROGRAM.test(name) ? [] : name.replaceAll('\\', '');
  });
  return [...new Set(names)].slice(0, MAX_NAMES);
}

/** As readProgram, for a filter that may have no `_daemon`: undefined then, or when it cannot be read. */
export function programOfDaemon(daemon: string | undefined): Program | null | undefined {
  if (daemon === undefined) return undefined;
  try {
    return readProgram(daemon);
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}
