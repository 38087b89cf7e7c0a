/**
 * A document held against a schema. Every schema carries as its `error` what it expects ("expected ..."); here that
 * becomes a message with the key, the value that is there, and its place. All problems are found in one go.
 */
import * as z from 'zod/mini';
import {
  type DocumentNode,
  nodeAt,
  type Path,
  placeOf,
  placeOfKey,
  type TableNode,
  toPlain,
} from './document.ts';
import { adviceOnFail2ban } from './fail2ban-words.ts';
import { nearest } from './nearest.ts';
import { MAX_PROBLEMS, type Problem, problemAt, quote } from './problem.ts';

/** The schemas are read once or twice in a process: code generated for them would never pay. */
z.config({ jitless: true });

/** Keys that are listed to somebody whose unknown key resembles none of them. */
const MAX_KEYS_LISTED = 16;

export type Validated<Value> = {
  readonly value: Value | null;
  readonly problems: readonly Problem[];
  /** The paths of what is wrong; without that the document would pass. */
  readonly faults: readonly Path[];
};

/**
 * What an unknown key at `path` was meant to be; null where only the nearest key that there is can tell, `near`, which is
 * null when none is.
 */
export type KeyHint = (path: Path, value: DocumentNode | null, near: string | null) => string | null;

/** What fail2ban's words are called here. Of a table, as TOML reads `bantime.increment`, the first key counts. */
export const hintOfWords: KeyHint = (path, value) => {
  const key = String(path.at(-1));
  if (value?.kind === 'table') {
    const inner = value.entries.keys().next().value;
    return adviceOnFail2ban(key === 'bantime' && inner !== undefined ? `${key}.${inner}` : key, '');
  }
  const nodes = value?.kind === 'array' ? value.elements : value === null ? [] : [value];
  return adviceOnFail2ban(
    key,
    nodes.map((node) => (node.kind === 'scalar' ? `${node.value}` : '')).join(' '),
  );
};

/** The schema's output for `root`, or null and every problem, in the order of the schema. */
export function validate<Schema extends z.core.$ZodType>(
  schema: Schema,
  root: TableNode,
  hint: KeyHint = hintOfWords,
): Validated<z.output<Schema>> {
  const result = z.safeParse(schema, toPlain(root));
  if (result.success) return { value: result.data, problems: [], faults: [] };
  const { issues } = result.error;
  const problems: Problem[] = [];
  for (const issue of issues) {
    if (problems.length > MAX_PROBLEMS) break;
    problems.push(...explain(issue, schema, root, hint));
  }
  return { value: null, problems, faults: issues.flatMap(faultsOf) };
}

function faultsOf(issue: z.core.$ZodIssue): readonly Path[] {
  const path = pathOf(issue);
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
}

function pathOf(issue: z.core.$ZodIssue): Path {
  return issue.path.filter((step) => typeof step !== 'symbol');
}

/** How a message shows a value: strings in quotes and cut, tables and lists by what they are. */
export function describeValue(node: DocumentNode): string {
  if (node.kind === 'table') return 'a table';
  if (node.kind === 'array') return node.elements.length === 0 ? 'an empty list' : 'a list';
  if (typeof node.value === 'string') return quote(node.value);
  return node.value instanceof Date ? 'a date' : String(node.value);
}

function explain(
  issue: z.core.$ZodIssue,
  schema: z.core.$ZodType,
  root: TableNode,
  hint: KeyHint,
): readonly Problem[] {
  const path = pathOf(issue);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .slice(0, MAX_PROBLEMS + 1)
      .map((key) => unknownKey([...path, key], schemaAt(schema, path), root, hint));
  }
  if (issue.code === 'invalid_key') {
    const message = issue.issues[0]?.message ?? issue.message;
    return [
      problemAt(placeOfKey(root, path), `the name ${quote(String(path.at(-1)))} cannot be used: ${message}`),
    ];
  }
  const node = nodeAt(root, path);
  const name = `\`${path.findLast((step) => typeof step === 'string') ?? ''}\``;
  if (node === null) return [problemAt(placeOf(root, path), `${name} is missing: ${issue.message}`)];
  const verb = typeof path.at(-1) === 'number' ? 'holds' : 'is';
  const meant = issue.code === 'invalid_value' ? suggestion(node, issue.values) : '';
  return [problemAt(node.place, `${name} ${verb} ${describeValue(node)}: ${meant}${issue.message}`)];
}

function unknownKey(path: Path, schema: z.core.$ZodType | null, root: TableNode, hint: KeyHint): Problem {
  const key = String(path.at(-1));
  const known = schema === null ? [] : Object.keys(shapeOf(schema) ?? {});
  const meant = nearest(key, known);
  let advice = hint(path, nodeAt(root, path), meant) ?? '';
  if (advice === '' && meant !== null) advice = `did you mean \`${meant}\`?`;
  else if (advice === '' && known.length > 0 && known.length <= MAX_KEYS_LISTED) {
    advice = `the keys here are ${known.map((name) => `\`${name}\``).join(', ')}`;
  }
  return problemAt(placeOfKey(root, path), `unknown key \`${key}\`${advice === '' ? '' : `: ${advice}`}`);
}

function suggestion(node: DocumentNode, values: readonly z.core.util.Primitive[]): string {
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return '';
  const meant = nearest(
    node.value,
    values.filter((value) => typeof value === 'string'),
  );
  return meant === null ? '' : `did you mean "${meant}"? `;
}

/** The schema of what is at `path`, or null where it does not say. */
function schemaAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType | null {
  let current: z.core.$ZodType | null = unwrap(schema);
  for (const step of path) {
    if (current instanceof z.core.$ZodRecord) current = unwrap(current._zod.def.valueType);
    else if (current instanceof z.core.$ZodArray) current = unwrap(current._zod.def.element);
    else {
      const inner: z.core.$ZodType | undefined =
        current === null ? undefined : shapeOf(current)?.[String(step)];
      current = inner === undefined ? null : unwrap(inner);
    }
  }
  return current;
}

function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | null {
  return schema instanceof z.core.$ZodObject ? schema._zod.def.shape : null;
}

/** What is inside of optional keys, defaults and conversions. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.core.$ZodPipe) return unwrap(schema._zod.def.in);
  if (
    schema instanceof z.core.$ZodOptional ||
    schema instanceof z.core.$ZodPrefault ||
    schema instanceof z.core.$ZodDefault
  ) {
    return unwrap(schema._zod.def.innerType);
  }
  return schema;
}
