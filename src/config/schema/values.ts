/**
 * The kinds of values that a configuration is made of: how each is written, what is expected when it is not, and what
 * it is read into.
 */

import { isAbsolute } from 'node:path';
import * as z from 'zod/mini';
import {
  type Address,
  familyOf,
  type Network,
  parseAddress,
  parseNetwork,
} from '../../core/address/address.ts';
import { NAME } from '../../core/text/name.ts';
import { FOREVER, MAX_DURATION, type Microseconds, parseDuration, SECOND } from '../../core/time.ts';
import type { ListenAddress } from '../plan.ts';

/** What a key means; the manual, the JSON schema and the shipped file are made from it. */
export type KeyDocumentation = {
  readonly description: string;
  /** A value as TOML's data, which the schema accepts. */
  readonly examples?: readonly unknown[];
  /** What a number counts; absent for values without a unit. */
  readonly unit?: string;
};

export const documentation = z.registry<KeyDocumentation>();

/** Documents a key. A copy of the schema is documented: two keys may share one, such as absolutePath. */
export function key<Schema extends z.ZodMiniType>(schema: Schema, about: KeyDocumentation): Schema {
  const own = schema.clone() as Schema;
  documentation.add(own, about);
  return own;
}

/** Addresses and networks in one list. */
export const MAX_NETWORKS = 10_000;
/** Listeners of one kind. */
export const MAX_LISTENERS = 64;
/** Bytes of a socket's path: `sun_path` of unix(7) without its final NUL. */
export const MAX_SOCKET_PATH_BYTES = 107;

const NAME_EXPECTED = 'expected 1 to 32 of a-z, 0-9, - and _, beginning with a letter or a digit';

/** Whether `text` can name a jail or a filter: it becomes a metric label and a comment in the kernel. */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** A jail's or a filter's name. */
export const name = z.string({ error: NAME_EXPECTED }).check(z.regex(NAME));

export const flag = z.boolean({ error: 'expected true or false' });

/** A table of exactly these keys. */
export function table<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: 'expected a table' });
}

export function count(least: number, most: number) {
  return z
    .int({ error: `expected a whole number from ${least} to ${most}` })
    .check(z.minimum(least), z.maximum(most));
}

export function oneOf<const Word extends string>(...words: readonly [Word, ...Word[]]) {
  const quoted = words.map((word) => `"${word}"`);
  return z.enum(words, { error: `expected ${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}` });
}

/** `expected` is a text, or makes one for what is there instead. */
export function listOf<Element extends z.core.$ZodType>(
  element: Element,
  expected: string | ((issue: { readonly input?: unknown }) => string),
  most: number,
) {
  return z.array(element, { error: expected }).check(z.maxLength(most));
}

/** At least one second, at most MAX_DURATION; FOREVER where `permanent` allows it. */
export function duration(permanent: boolean) {
  const forever = permanent ? ', or "forever"' : '';
  const expected = `expected a length of time from 1s to 10 years such as "10m", "1h", "1d12h" or seconds${forever}`;
  return converted(z.union([z.string(), seconds], { error: expected }), expected, (value) =>
    readDuration(value, permanent),
  );
}

/** A plain number of seconds; -1 is permanent. */
const seconds = z.int().check(z.minimum(-1), z.maximum(MAX_DURATION / SECOND));

function readDuration(value: string | number, permanent: boolean): Microseconds | null {
  const length = parseDuration(value);
  return length === null || length < SECOND || (length === FOREVER && !permanent) ? null : length;
}

/** A path that does not depend on where the daemon was started. */
export const absolutePath = z
  .string({ error: 'expected a path that begins with /' })
  .check(z.refine((path: string) => isPath(path)));

export const socketPath = z
  .string({ error: `expected a path that begins with /, of at most ${MAX_SOCKET_PATH_BYTES} bytes` })
  .check(z.refine((path: string) => isSocketPath(path)));

function isPath(path: string): boolean {
  return isAbsolute(path) && !/[\x00-\x1f\x7f]/.test(path);
}

/** Whether a socket can be bound to `path`. */
export function isSocketPath(path: string): boolean {
  return isPath(path) && Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES;
}

export const socketPaths = listOf(
  socketPath,
  'expected a list of paths such as ["/run/bailiff/log.sock"]',
  MAX_LISTENERS,
);

const USER_EXPECTED = 'expected the name of a user of this host, or its number';

/** As useradd(8) takes names. */
export const userNames = listOf(
  z.string({ error: USER_EXPECTED }).check(z.regex(/^(?:[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?|\d{1,10})$/)),
  'expected a list of users such as ["www-data"]',
  MAX_LISTENERS,
);

const NETWORK_EXPECTED =
  'expected an address or a network such as "192.0.2.7", "198.51.100.0/24" or "2001:db8::/32"';

export const networks = listOf(
  converted(z.string({ error: NETWORK_EXPECTED }), NETWORK_EXPECTED, (text): Network | null =>
    parseNetwork(text),
  ),
  `expected a list of at most ${MAX_NETWORKS} addresses or networks such as ["192.0.2.7", "2001:db8::/32"]`,
  MAX_NETWORKS,
);

const LISTEN_EXPECTED =
  'expected an address (not a name) and a port such as "127.0.0.1:5514" or "[::1]:5514"';

export const listenAddresses = listOf(
  converted(z.string({ error: LISTEN_EXPECTED }), LISTEN_EXPECTED, readListenAddress),
  'expected a list such as ["127.0.0.1:5514", "[::1]:5514"]',
  MAX_LISTENERS,
);

/** `127.0.0.1:5514` or `[::1]:5514`; null for anything else, host names and zone ids included. */
export function readListenAddress(text: string): ListenAddress | null {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):(0|[1-9]\d{0,4})$/.exec(text);
  const host = parseHost(match?.[1], match?.[2]);
  const port = Number(match?.[3]);
  return host === null || port > 65_535 ? null : { host, port };
}

function parseHost(bracketed: string | undefined, plain: string | undefined): Address | null {
  const host = parseAddress(bracketed ?? plain ?? '');
  return host !== null && familyOf(host) === (bracketed === undefined ? 4 : 6) ? host : null;
}

/** What `input` accepts, read by `read`, which returns null for what is not as `expected` says of it. */
export function converted<Input extends z.core.$ZodType, Output>(
  input: Input,
  expected: string | ((value: z.output<Input>) => string),
  read: (value: z.output<Input>) => Output | null,
) {
  return z.pipe(
    input,
    z.transform((value: z.output<Input>, payload): Output => {
      const output = read(value);
      if (output !== null) return output;
      const message = typeof expected === 'string' ? expected : expected(value);
      payload.issues.push({ code: 'custom', message, input: value });
      return z.NEVER;
    }),
  );
}
