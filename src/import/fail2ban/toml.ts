/** Writing TOML (toml.io/en/v1.0.0): what an import has made, as files that people go on editing. */
import type { ImportedRule } from './drafts.ts';
import type { ImportedFilter } from './filter.ts';
import type { ImportedJail, JailPolicy } from './jail.ts';

/** The first line of every file that an import writes; a file without it is not overwritten. */
export const IMPORT_MARK = '# Imported from fail2ban by bailiff.';

export function writeFilter(filter: ImportedFilter): string {
  const { input } = filter;
  const head = [
    IMPORT_MARK,
    '# `bailiff lint` says what it thinks of each rule; with samples it would know more.',
    '',
    `description = ${quote(`fail2ban's ${filter.source}`)}`,
    'imported = true',
    `identifiers = ${list(input.identifiers)}`,
    '',
    '[journal]',
    ...(input.journal.uids.length > 0 ? [`uids = [${input.journal.uids.join(', ')}]`] : []),
    ...(input.journal.containers === undefined ? [] : [`containers = ${list(input.journal.containers)}`]),
    ...(input.journal.units.length > 0 ? [`units = ${list(input.journal.units)}`] : []),
  ];
  return `${[...head, ...filter.rules.flatMap(writeRule)].join('\n')}\n`;
}

function writeRule(rule: ImportedRule): string[] {
  return [
    '',
    '[[rules]]',
    `# ${rule.place.file.replace(/[^\x20-\x7e]/g, '?')}:${rule.place.line}`,
    `name = ${quote(rule.name)}`,
    ...(rule.kind === 'failure' ? [] : [`kind = ${quote(rule.kind)}`]),
    ...(rule.isEnd ? ['attempt = "end"'] : []),
    ...(rule.after.length > 0 ? [`after = ${list(rule.after)}`] : []),
    ...(rule.remember ? ['remember = true'] : []),
    `regex = ${quote(rule.regex)}`,
  ];
}

/** The jails, and what holds for all that do not say otherwise. */
export function writeJails(jails: readonly ImportedJail[], defaults: JailPolicy): string {
  const lines = [IMPORT_MARK, '', '[defaults]', ...writePolicy(defaults)];
  for (const jail of jails) {
    lines.push('', `[jail.${jail.name}]`);
    // Said in either case: a jail of a name that etc/jails.toml has is off until somebody says otherwise.
    lines.push(`enabled = ${jail.isEnabled}`);
    if (jail.filter !== jail.name) lines.push(`filters = ${list([jail.filter])}`);
    if (jail.mode !== 'normal') lines.push(`mode = ${quote(jail.mode)}`);
    if (jail.ports.length > 0) lines.push(`ports = ${list(jail.ports)}`);
    lines.push(...writePolicy(jail.policy));
  }
  return `${lines.join('\n')}\n`;
}

function writePolicy(policy: JailPolicy): string[] {
  const { findTime, banTime, maxRetry, ignore } = policy;
  return [
    ...(findTime === undefined ? [] : [`find_time = ${quote(writeTime(findTime))}`]),
    ...(banTime === undefined ? [] : [`ban_time = ${quote(writeTime(banTime))}`]),
    ...(maxRetry === undefined ? [] : [`max_retry = ${maxRetry}`]),
    ...(ignore === undefined ? [] : [`ignore = ${list(ignore)}`]),
  ];
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** Seconds as `1h30m`, -1 as `forever`. */
export function writeTime(seconds: number): string {
  if (seconds < 0) return 'forever';
  let rest = seconds;
  let text = '';
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

function list(texts: readonly string[]): string {
  return `[${texts.map(quote).join(', ')}]`;
}

/** As a literal string where that can be, else with escapes. */
function quote(text: string): string {
  if (!/["\\\x00-\x1f\x7f-\x9f]/.test(text)) return `"${text}"`;
  if (!/['\x00-\x1f\x7f-\x9f]/.test(text)) return `'${text}'`;
  const escaped = text.replace(/["\\\x00-\x1f\x7f-\x9f]/g, (character) =>
    /["\\]/.test(character)
      ? `\\${character}`
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${escaped}"`;
}
