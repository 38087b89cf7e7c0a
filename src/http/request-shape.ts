/**
 * What a request may have in its query and its body: words of limited length by name, and no other. Fastify would bring
 * a compiler of JSON schemas for it, whose compiling of its own schema alone is a fifth of the daemon's start.
 */
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { ControlError } from './control.ts';

export type RequestShape = {
  /** The words that it may have, and of how many characters (UTF-16 code units) each may be at most. */
  readonly words: Readonly<Record<string, number>>;
  /** Those without which it is refused. */
  readonly required: readonly string[];
};

type Verdict = { readonly value: unknown } | { readonly error: ControlError };

/** For Fastify's options: keeps it from loading its own compilers. */
export const NO_SCHEMA_COMPILERS: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: unused, buildSerializer: unused },
};

/** A route's `schema` then holds a RequestShape for each part of a request. Replies are described nowhere. */
export function checkRequestShapes(app: FastifyInstance): void {
  app.setValidatorCompiler<RequestShape>(
    ({ schema, httpPart = 'request' }) =>
      (data: unknown) =>
        verdictOf(data, schema, httpPart),
  );
}

function unused(): never {
  throw new Error('requests are checked by their shapes, and replies are not described');
}

function verdictOf(data: unknown, shape: RequestShape, part: string): Verdict {
  const fault = faultOf(data, shape, part);
  return fault === null ? { value: data } : { error: new ControlError(400, 'bad-request', fault) };
}

/** What is wrong, for people, in the words that JSON schemas have made usual; null when nothing is. */
function faultOf(data: unknown, { words, required }: RequestShape, part: string): string | null {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return `${part} must be object`;
  const missing = required.find((name) => !Object.hasOwn(data, name));
  if (missing !== undefined) return `${part} must have required property '${missing}'`;
  for (const [name, value] of Object.entries(data)) {
    if (!Object.hasOwn(words, name)) return `${part} must NOT have additional properties`;
    const maxLength = words[name] ?? 0;
    // A word that is given twice in a query is an array.
    if (typeof value !== 'string') return `${part}/${name} must be string`;
    if (value === '') return `${part}/${name} must NOT have fewer than 1 characters`;
    if (value.length > maxLength) return `${part}/${name} must NOT have more than ${maxLength} characters`;
  }
  return null;
}
