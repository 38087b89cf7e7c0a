/**
 * Forged lines. A forger knows a rule's samples and can write what he likes wherever the service quotes him. So into
 * every free stretch of every sample goes whatever may pass for the rest of the line with another address in it, or
 * for a line that the filter ignores. No rule of the filter may then name any address but the true one, nor ignore the
 * line.
 */
import { ACCESS_FIELDS } from '../access.ts';
import type { Sample } from '../filter.ts';
import { CompiledPattern } from '../pattern.ts';
import type { CompiledFilter, CompiledRule } from '../rule.ts';
import { escapeParameter } from '../structured-data.ts';
import { SampleBench } from './samples.ts';

/** A line made from a sample, of which a rule names an address that the service did not write; '' of an ignored one. */
export type Forgery = {
  readonly rule: string;
  readonly sampleIndex: number;
  readonly line: string;
  readonly address: string;
};

export type ForgeReport = { readonly tried: number; readonly forgeries: readonly Forgery[] };

/** Whoever the forger wants banned: addresses for documentation (RFC 5737, RFC 3849). */
const VICTIMS = ['198.51.100.66', '2001:db8:66::66'] as const;

/** Longer than any buffer that a service logs through. */
const LONG_TEXT = 'A'.repeat(8_192);

/** What forged text is wrapped in: quotes and brackets that may end a field, control characters, escapes, length. */
const WRAPPINGS: readonly (readonly [string, string])[] = [
  ['', ''],
  ['x ', ' x'],
  [' ', ' '],
  ['"', '"'],
  ["'", "'"],
  [') (', ')'],
  ['] [', ']'],
  ['\\', '\\'],
  ['\n', '\n'],
  ['\r\n', '\r'],
  ['\0', '\0'],
  ['\x1b[2K\r', '\x1b[0m'],
  [': ', ':'],
  [', ', ','],
  [LONG_TEXT, ''],
  ['', LONG_TEXT],
];

/** Tries all forgeries of a filter; stops at the first that works for each sample. */
export function forgeFilter(compiled: CompiledFilter): ForgeReport {
  const bench = new SampleBench(compiled);
  const ignored = compiled.rules.filter(({ rule }) => rule.kind === 'ignore').flatMap(ignoredLines);
  let tried = 0;
  const forgeries: Forgery[] = [];
  for (const rule of compiled.rules) {
    for (const [sampleIndex, sample] of rule.rule.samples.entries()) {
      if (sample.expect === null || sample.expect.address === '') continue;
      for (const line of forgedLines(rule, sample, ignored)) {
        tried++;
        const match = bench.match(sample.before, line);
        const isHidden = match?.kind === 'ignore' && rule.rule.kind !== 'ignore';
        if (
          match === null ||
          ((match.address === '' || match.address === sample.expect.address) && !isHidden)
        )
          continue;
        const address = isHidden ? '' : match.address;
        forgeries.push({ rule: rule.rule.name, sampleIndex, line, address });
        break;
      }
    }
  }
  return { tried, forgeries };
}

function ignoredLines({ rule }: CompiledRule): string[] {
  return rule.samples.flatMap(({ line, expect }) => (expect === null ? [] : [line]));
}

/** The sample's line with forged text in each of its free stretches, one at a time. */
function* forgedLines(
  { rule, reader }: CompiledRule,
  { line, expect }: Sample,
  ignored: readonly string[],
): Generator<string> {
  const address = expect?.address ?? '';
  const payloads = [line, ...ignored].flatMap((model) => [...forgedTexts(model, address)]);
  if (rule.pattern.form === 'json') return yield* forgeJson(line, address, payloads);
  if (rule.pattern.form === 'access') return yield* forgeAccess(line, payloads);
  if (rule.pattern.form === 'structured_data') return yield* forgeStructuredData(line, address, payloads);
  const pattern = reader.parts(line)[0]?.pattern;
  if (!(pattern instanceof CompiledPattern)) return;
  for (const { kind, start, end } of pattern.stretches(line)) {
    if (kind === 'address') continue;
    const value = line.slice(start, end);
    for (const payload of payloads) {
      yield line.slice(0, start) + payload + line.slice(end);
      yield line.slice(0, start) + value + payload + line.slice(end);
    }
  }
}

/** The victim's address alone, and every rest of the line with it in place of the true one, wrapped. */
function* forgedTexts(line: string, address: string): Generator<string> {
  for (const victim of VICTIMS) {
    const forged = address === '' ? `${line} ${victim}` : line.split(address).join(victim);
    const end = forged.lastIndexOf(victim) + victim.length;
    const starts = [...forged.matchAll(/(?<=^|\W)(?=\w)|(?<=\S)(?=\s)/g)].map((boundary) => boundary.index);
    for (const text of new Set([victim, ...starts.flatMap((start) => rests(forged, start, end))])) {
      for (const [before, after] of WRAPPINGS) yield before + text + after;
    }
  }
}

/** From `start` to the line's end, and to the end of the address. */
function rests(line: string, start: number, end: number): string[] {
  return start < end ? [line.slice(start), line.slice(start, end)] : [line.slice(start)];
}

/** Into every text of the object but the one that is the address, as the service's encoder would write it. */
function* forgeJson(line: string, address: string, payloads: readonly string[]): Generator<string> {
  const start = line.indexOf('{');
  const object: unknown = JSON.parse(line.slice(start));
  const paths = [...textPaths(object, [])].filter(([, text]) => !text.includes(address));
  for (const [path] of paths) {
    for (const payload of payloads)
      yield line.slice(0, start) + JSON.stringify(withText(object, path, payload));
  }
}

function* textPaths(
  value: unknown,
  path: readonly string[],
): Generator<readonly [readonly string[], string]> {
  if (typeof value === 'string') yield [path, value];
  if (typeof value !== 'object' || value === null) return;
  for (const [key, item] of Object.entries(value)) yield* textPaths(item, [...path, key]);
}

function withText(value: unknown, path: readonly string[], text: string): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return text;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  const member = (value as Readonly<Record<string, unknown>>)[key];
  Object.assign(copy, { [key]: withText(member, rest, text) });
  return copy;
}

/** Into every value but the one that is the address, as a sender escapes it, and behind the message. */
function* forgeStructuredData(line: string, address: string, payloads: readonly string[]): Generator<string> {
  const values = [...line.matchAll(/(?<==")(?:[^"\\]|\\.)*(?=")/g)].filter(([value]) => value !== address);
  for (const value of values)
    for (const payload of payloads)
      yield line.slice(0, value.index) + escapeParameter(payload) + line.slice(value.index + value[0].length);
  for (const payload of payloads) yield `${line} ${payload}`;
}

/** Into the user's name, the request, the referer and the agent, with quotes escaped as web servers do. */
function* forgeAccess(line: string, payloads: readonly string[]): Generator<string> {
  const quoted = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)];
  const user = / - (.*?) \[/.exec(line);
  const places = [...quoted, ...(user === null ? [] : [user])].slice(0, ACCESS_FIELDS.length);
  for (const place of places) {
    const start = place.index + place[0].indexOf(place[1] ?? '', 1);
    const end = start + (place[1] ?? '').length;
    for (const payload of payloads) {
      yield line.slice(0, start) + payload.replace(/["\\]/g, '\\$&') + line.slice(end);
    }
  }
}
