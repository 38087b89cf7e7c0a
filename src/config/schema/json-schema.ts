/** A schema as JSON Schema, for editors and for the manual. */
import * as z from 'zod/mini';
import { documentation } from './values.ts';

/** JSON Schema (draft 2020-12) of what is written in a file, with descriptions, defaults, units and examples. */
export function toJsonSchema(schema: z.core.$ZodType, title: string): Record<string, unknown> {
  const converted = z.toJSONSchema(schema, {
    io: 'input',
    metadata: documentation,
    // zod leaves out the examples of what it converts, though ours are examples of what is written.
    override: ({ zodSchema, jsonSchema }) => Object.assign(jsonSchema, documentation.get(zodSchema)),
  });
  return { ...converted, title };
}
