/**
 * Ports as a jail names them: `tcp/22`, `ssh` as services(5) has it, `8000-8100`. What a service is called is looked up
 * when the configuration becomes a plan.
 */
import * as z from 'zod/mini';
import type { ScopedPort } from '../../core/ledger/policy.ts';
import { converted, listOf } from './values.ts';

/** A range of numbers or the name of a service; `protocol` is null where it is not written. */
export type PortWord = { readonly protocol: ScopedPort['protocol'] | null } & (
  | { readonly first: number; readonly last: number }
  | { readonly service: string }
);

/** Words in one list. */
export const MAX_PORT_WORDS = 64;

const PORT_EXPECTED =
  'expected a port such as "tcp/22" or "udp/5060", a service of /etc/services such as "ssh", or a range such as ' +
  '"8000-8100"';
const LIST_EXPECTED = `expected a list of 1 to ${MAX_PORT_WORDS} ports such as ["tcp/22", "https"], or no such key for the whole host`;

const WORD =
  /^(?:(?<protocol>tcp|udp)\/)?(?:(?<first>\d{1,5})(?:-(?<last>\d{1,5}))?|(?<service>(?=.*[A-Za-z])[\w+.-]{1,32}))$/;

export const ports = listOf(
  converted(z.string({ error: PORT_EXPECTED }), explainWord, readPortWord),
  ({ input }) =>
    typeof input === 'string' ? `each port is a text of its own: write ${listed(input)}` : LIST_EXPECTED,
  MAX_PORT_WORDS,
).check(z.minLength(1));

function readPortWord(text: string): PortWord | null {
  const { protocol: written, first, last, service } = WORD.exec(text)?.groups ?? {};
  const protocol = written === 'tcp' || written === 'udp' ? written : null;
  if (service !== undefined) return { protocol, service };
  const range: PortWord & { readonly first: number } = {
    protocol,
    first: Number(first),
    last: Number(last ?? first),
  };
  return range.first >= 1 && range.last <= 65_535 && range.first <= range.last ? range : null;
}

/** fail2ban has several in one text, and writes a range with a colon. */
function explainWord(text: string): string {
  const apart = text.split(/[\s,]+/).filter((word) => word !== '');
  if (apart.length > 1) return `each port is a text of its own: write ${listed(text)}`;
  if (/^(?:(?:tcp|udp)\/)?\d+:\d+$/.test(text)) return `a range is written "${text.replace(':', '-')}"`;
  return PORT_EXPECTED;
}

function listed(text: string): string {
  const words = text.split(/[\s,]+/).map((word) => word.replace(/(?<=^\d+):(?=\d+$)/, '-'));
  const isGood = words.length <= MAX_PORT_WORDS && words.every((word) => readPortWord(word) !== null);
  return JSON.stringify(isGood ? words : ['ssh', '8000-8100']).replaceAll(',', ', ');
}
