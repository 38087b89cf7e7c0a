/** The keys of a TOML file as terms of a page, from the JSON schema that its validation is made from. */
import { type Block, heading, paragraph, type Term, terms } from './page.ts';

/** As much of a JSON schema as ours have. */
export type Schema = {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly unit?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean | Schema;
};

/** Blocks for each table of the schema, below a heading such as [syslog], [jail.NAME] or [[rules]]. */
export function describeTables(schema: Schema): readonly Block[] {
  return describeTable('', schema);
}

/** The keys first, then the tables within. */
function describeTable(path: string, schema: Schema): readonly Block[] {
  const keys: Term[] = [];
  const inner: Block[] = [];
  for (const [name, value] of Object.entries(schema.properties ?? {})) {
    const below = path === '' ? name : `${path}.${name}`;
    const table = tableOf(below, value);
    if (table === null) keys.push(describeKey(name, value, schema.required?.includes(name) === true));
    else inner.push(...table);
  }
  return [...(keys.length === 0 ? [] : [terms(keys)]), ...inner];
}

/** Null for what is no table. */
function tableOf(path: string, value: Schema): readonly Block[] | null {
  if (value.properties !== undefined) return headed(`[${path}]`, value, describeTable(path, value));
  const rest = value.additionalProperties;
  if (typeof rest === 'object' && rest.properties !== undefined) {
    return headed(`[${path}.NAME]`, value, describeTable(`${path}.NAME`, rest));
  }
  const { items } = value;
  if (items?.properties === undefined) return null;
  return headed(`[[${path}]]`, value, describeTable(path, items));
}

function headed(title: string, { description }: Schema, blocks: readonly Block[]): readonly Block[] {
  const about = description === undefined ? [] : [paragraph(asText(description))];
  return [heading(title), ...about, ...blocks];
}

function describeKey(name: string, schema: Schema, isRequired: boolean): Term {
  const facts = [`${capitalised(typeOf(schema))}.`];
  if (schema.unit !== undefined) facts.push(`Unit: ${schema.unit}.`);
  if (isRequired) facts.push('Required.');
  else if (schema.default !== undefined) facts.push(`Default: ${writeValue(schema.default)}.`);
  const examples = (schema.examples ?? []).filter((value) => !isSame(value, schema.default)).map(writeValue);
  if (examples.length > 0) facts.push(`Example: ${examples.join(', ')}.`);
  return [`\`${name}\``, asText(schema.description ?? ''), facts.join(' ')];
}

function typeOf(schema: Schema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.map(writeValue).join(', ')}`;
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  switch (schema.type) {
    case 'boolean':
      return 'true or false';
    case 'integer':
      return schema.minimum === undefined
        ? 'a whole number'
        : `a whole number from ${schema.minimum} to ${schema.maximum}`;
    case 'array':
      return schema.items?.enum === undefined
        ? `a list of up to ${schema.maxItems} ${itemsOf(schema.items)}`
        : `a list of ${schema.items.enum.map(writeValue).join(', ')}`;
    case 'string':
      return 'a string';
    default:
      return 'a table';
  }
}

function itemsOf(items: Schema | undefined): string {
  return items?.type === 'integer' ? 'whole numbers' : 'strings';
}

/** The value as TOML. */
function writeValue(value: unknown): string {
  return `\`${toToml(value)}\``;
}

export function toToml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toToml).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, inner]) => `${/^[\w-]+$/.test(key) ? key : JSON.stringify(key)} = ${toToml(inner)}`,
  );
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

/** Names of keys with an underscore stand out, as those in backquotes do already. */
function asText(description: string): string {
  return description
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replace(/\b[a-z]+(?:_[a-z0-9]+)+\b/g, '`$&`')))
    .join('');
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
