/** The TOML form of a filter, read into the Filter of match/filter.ts, which describes that form. */
import { ACCESS_FIELDS } from '../../match/access.ts';
import type { FieldTest, Filter, Pattern, Rule, Sample, ValuesPattern } from '../../match/filter.ts';
import {
  type DocumentNode,
  nodeAt,
  type Path,
  placeOf,
  placeOfKey,
  type TableNode,
} from '../document/document.ts';
import { nearest } from '../document/nearest.ts';
import { type Problem, problemAt, quote } from '../document/problem.ts';
import { describeValue, validate } from '../document/validate.ts';
import { filterSchema, MAX_INPUT_NAMES, MAX_PATTERN_LENGTH, type RuleSettings } from './keys.ts';

const PATTERN_KEYS = ['template', 'regex', 'json', 'access', 'structured_data'] as const;

/** Those that are tables of fields. */
type FieldsForm = 'json' | 'access' | 'structured_data';

export type ReadFilter = { readonly filter: Filter | null; readonly problems: readonly Problem[] };

/** Reads the filter `name` out of its document. The patterns are not compiled and the samples not tried yet. */
export function readFilter(name: string, root: TableNode): ReadFilter {
  const { value, problems } = validate(filterSchema, root);
  if (value === null) return { filter: null, problems };
  const report = new Report(root);
  const { description, imported, identifiers } = value;
  const { containers, ...hosts } = value.journal;
  const journal = containers === undefined ? hosts : { ...hosts, containers };
  const rules = value.rules.map((settings, index) => {
    const path = ['rules', index];
    if (!imported) checkSamples(settings, path, report);
    return readRule(settings, path, report);
  });
  checkNames(rules, report);
  const input = { identifiers, journal };
  const filter: Filter = { name, description, input, rules, ...(imported ? { imported } : {}) };
  return { filter: report.problems.length === 0 ? filter : null, problems: report.problems };
}

/** Collects problems by the path of what they are about. */
class Report {
  readonly problems: Problem[] = [];
  readonly root: TableNode;

  constructor(root: TableNode) {
    this.root = root;
  }

  atValue(path: Path, message: string): void {
    this.problems.push(problemAt(placeOf(this.root, path), message));
  }

  atKey(path: Path, message: string): void {
    this.problems.push(problemAt(placeOfKey(this.root, path), message));
  }
}

function readRule(settings: RuleSettings, path: Path, report: Report): Rule {
  const { name, kind, mode, weight, labels, remember, after, attempt } = settings;
  if (attempt !== undefined && kind !== 'failure') {
    report.atKey([...path, 'attempt'], '`attempt` is for failures only: only they are counted');
  }
  return {
    name,
    kind,
    mode,
    weight,
    labels,
    remember,
    after,
    attempt: attempt ?? null,
    pattern: readPattern(settings, path, report),
    samples: readSamples(settings, path, report),
  };
}

function readPattern(settings: RuleSettings, path: Path, report: Report): Pattern {
  const given = PATTERN_KEYS.filter((key) => settings[key] !== undefined);
  const [form] = given;
  if (form === undefined || given.length > 1) {
    const found = given.length === 0 ? 'none' : given.map((key) => `\`${key}\``).join(' and ');
    report.atValue(
      path,
      `a rule has one of \`template\`, \`regex\`, \`json\`, \`access\` and \`structured_data\`: this one has ${found}`,
    );
  }
  if (form === 'json' || form === 'access' || form === 'structured_data') {
    const node = nodeAt(report.root, [...path, form]);
    const fields: FieldTest[] = [];
    if (node?.kind === 'table') readTests(form, node, [...path, form], '', fields, report);
    else report.atValue([...path, form], `\`${form}\` is no table: expected { field = "template", ... }`);
    return { form, fields };
  }
  return { form: form ?? 'template', text: settings[form ?? 'template'] ?? '' };
}

/** Reads the fields of a `json` or `access` table into `tests`; nested tables make paths with dots. */
function readTests(
  form: FieldsForm,
  node: TableNode,
  path: Path,
  prefix: string,
  tests: FieldTest[],
  report: Report,
): void {
  if (node.entries.size === 0)
    report.atValue(path, `\`${String(path.at(-1))}\` is empty: name at least one field`);
  for (const [key, { value }] of node.entries) {
    const optional = key.endsWith('?');
    const field = prefix + (optional ? key.slice(0, -1) : key);
    const here = [...path, key];
    if (form === 'access') checkAccessField(field, here, report);
    const pattern = readFieldPattern(value);
    if (pattern !== null) tests.push({ field, optional, pattern });
    else if (value.kind === 'table' && !value.entries.has('regex') && form === 'json' && !optional) {
      readTests(form, value, here, `${field}.`, tests, report);
    } else {
      report.atValue(
        here,
        `\`${key}\` is ${describeValue(value)}: expected a template, { regex = "..." }, or plain values`,
      );
    }
  }
}

/** Null for what is no pattern. */
function readFieldPattern(node: DocumentNode): FieldTest['pattern'] | null {
  if (node.kind === 'table') {
    const regex = node.entries.size === 1 ? node.entries.get('regex')?.value : undefined;
    const source = regex?.kind === 'scalar' && typeof regex.value === 'string' ? regex.value : '';
    return source === '' || source.length > MAX_PATTERN_LENGTH ? null : { form: 'regex', text: source };
  }
  if (node.kind === 'scalar') {
    if (typeof node.value !== 'string') return readValues([node]);
    return node.value.length > MAX_PATTERN_LENGTH ? null : { form: 'template', text: node.value };
  }
  return readValues(node.elements);
}

function readValues(nodes: readonly DocumentNode[]): ValuesPattern | null {
  const values: (string | number | boolean)[] = [];
  for (const node of nodes) {
    if (node.kind !== 'scalar' || node.value instanceof Date || typeof node.value === 'bigint') return null;
    values.push(node.value);
  }
  return values.length === 0 || values.length > MAX_INPUT_NAMES ? null : { form: 'values', values };
}

function checkAccessField(field: string, path: Path, report: Report): void {
  if (ACCESS_FIELDS.some((known) => known === field)) return;
  const meant = nearest(field, ACCESS_FIELDS);
  const advice = meant === null ? `the fields are ${ACCESS_FIELDS.join(', ')}` : `did you mean \`${meant}\`?`;
  report.atKey(path, `unknown field \`${field}\`: ${advice}`);
}

function readSamples(settings: RuleSettings, path: Path, report: Report): Sample[] {
  return settings.samples.map(({ line, match, address, user, before }, index): Sample => {
    if (!match && (address !== '' || user !== '')) {
      report.atValue(
        [...path, 'samples', index],
        'a line with `match = false` has neither `address` nor `user`',
      );
    }
    return { line, before, expect: match ? { address, user } : null };
  });
}

/** A rule has samples of both kinds, unless it was imported. */
function checkSamples({ name, samples }: RuleSettings, path: Path, report: Report): void {
  for (const [kind, missing] of [
    ['a line that it matches', samples.every(({ match }) => !match)],
    ['a line that it does not match, with `match = false`', samples.every(({ match }) => match)],
  ] as const) {
    if (missing) report.atKey([...path, 'samples'], `rule \`${name}\` needs a sample of ${kind}`);
  }
}

/** Names are unique, and `after` names rules that remember. */
function checkNames(rules: readonly Rule[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { name, after }] of rules.entries()) {
    if (seen.has(name)) report.atValue(['rules', index, 'name'], `there is a rule ${quote(name)} already`);
    seen.add(name);
    for (const [position, other] of after.entries()) {
      const path = ['rules', index, 'after', position];
      const target = rules.find((candidate) => candidate.name === other);
      if (target?.remember === true) continue;
      const meant =
        target === undefined
          ? nearest(
              other,
              rules.map((candidate) => candidate.name),
            )
          : null;
      const advice = meant === null ? '' : `: did you mean "${meant}"?`;
      const reason =
        target === undefined
          ? `there is no rule ${quote(other)}`
          : `${quote(other)} has no \`remember = true\``;
      report.atValue(path, `${reason}${advice}`);
    }
  }
}
