import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configJsonSchema, configSchema } from '../../../src/config/schema/settings.ts';
import { readListenAddress } from '../../../src/config/schema/values.ts';

type Schema = {
  readonly type?: string;
  readonly description?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly default?: unknown;
};

/** Every key of the schema with the path to it, `NAME` for names that the user chooses. */
function keysOf(schema: Schema, path: readonly string[] = []): (readonly [readonly string[], Schema])[] {
  const inner = Object.entries(schema.properties ?? {});
  if (typeof schema.additionalProperties === 'object') inner.push(['NAME', schema.additionalProperties]);
  return inner.flatMap(([key, value]) => [
    [[...path, key], value] as const,
    ...keysOf(value, [...path, key]),
  ]);
}

const KEYS = keysOf(configJsonSchema() as Schema);
const LEAVES = KEYS.filter(
  ([, schema]) => schema.properties === undefined && schema.additionalProperties === undefined,
);

/** Examples of the keys that the table at `path` cannot do without. */
function requiredBeside(path: readonly string[]): Readonly<Record<string, unknown>> {
  const found = KEYS.find(([other]) => other.join() === path.join());
  const { required = [], properties = {} } = found?.[1] ?? {};
  return Object.fromEntries(
    required
      .filter((key) => properties[key]?.examples !== undefined)
      .map((key) => [key, properties[key]?.examples?.[0]]),
  );
}

test('every key is described, and every value has an example', () => {
  const silent = KEYS.filter(
    ([path, schema]) => path.at(-1) !== 'NAME' && !schema.description?.endsWith('.'),
  );
  assert.deepEqual(silent, []);
  assert.deepEqual(
    LEAVES.filter(([, schema]) => schema.examples === undefined),
    [],
  );
  assert.ok(LEAVES.length > 25);
});

for (const [path, schema] of LEAVES) {
  test(`the examples and the default of ${path.join('.')} are accepted`, () => {
    const values = [...(schema.examples ?? []), ...(schema.default === undefined ? [] : [schema.default])];
    for (const value of values) {
      const document = path.reduceRight<unknown>(
        (inner, key, index) => ({
          ...requiredBeside(path.slice(0, index)),
          [key === 'NAME' ? 'sshd' : key]: inner,
        }),
        value,
      );
      assert.ok(configSchema.safeParse(document).success, JSON.stringify(document));
    }
  });
}

test('an unknown key is one for editors too', () => {
  const tables = KEYS.filter(([, schema]) => schema.properties !== undefined);
  assert.ok(tables.every(([, schema]) => schema.additionalProperties === false));
  assert.equal((configJsonSchema() as Schema).additionalProperties, false);
});

for (const [text, expected] of [
  ['127.0.0.1:5514', { host: '127.0.0.1', port: 5514 }],
  ['[::1]:5514', { host: '::1', port: 5514 }],
  ['[::]:0', { host: '::', port: 0 }],
  ['0.0.0.0:65535', { host: '0.0.0.0', port: 65_535 }],
  ['5514', null],
  [':5514', null],
  ['::1:5514', null],
  ['[::ffff:127.0.0.1]:1', null],
  ['127.0.0.1:05514', null],
  ['127.0.0.1:5514 ', null],
  ['127.1:5514', null],
] as const) {
  test(`${JSON.stringify(text)} is ${expected === null ? 'no' : 'a'} place to listen`, () => {
    assert.deepEqual(readListenAddress(text), expected);
  });
}
