/**
 * Forgery across rules and filters, which the linter does not try: it forges a line with what follows in the same
 * line. Here a client writes a whole message of any rule into the fields that are his, of the same service or of
 * another, and all filters read the result at once. `BAILIFF_FUZZ_SEED` and `BAILIFF_FUZZ_RUNS` search further.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseDocument } from '../../src/config/document/document.ts';
import { listTomlFiles, readSource } from '../../src/config/document/files.ts';
import { readFilter } from '../../src/config/filters/schema.ts';
import type { Match } from '../../src/core/failure.ts';
import type { Filter, Sample } from '../../src/match/filter.ts';
import { Matcher } from '../../src/match/matcher.ts';
import { CompiledPattern } from '../../src/match/pattern.ts';
import { type CompiledFilter, type CompiledRule, compileFilter } from '../../src/match/rule.ts';
import { recordOf } from '../match/records.ts';

const SEED = Number(process.env.BAILIFF_FUZZ_SEED ?? 20_261_120);
const LINES_PER_FILTER = Number(process.env.BAILIFF_FUZZ_RUNS ?? 400);

const VICTIMS = ['198.51.100.66', '2001:db8:66::66'];

/** What a forger closes a field with, and opens it again. */
const WRAPPINGS: readonly (readonly [string, string])[] = [
  ['', ''],
  [' ', ' '],
  ['x: ', ''],
  ['" ', ' "'],
  ["' ", " '"],
  ['>, ', ', <'],
  [') ', ' ('],
  ['] ', ' ['],
  ['x, ', ', x'],
  ['\n', '\n'],
  ['\r', ''],
  ['\0', ''],
  ['x|', '|x'],
  ['X-Forwarded-For: ', ''],
];

const directory = new URL('../../etc/filters', import.meta.url).pathname;

const compiled = readFilters(directory).map(compileFilter);
const matcher = new Matcher(compiled);
const messages = compiled.map((filter) => filter.rules.flatMap(({ rule }) => messagesOf(rule.samples)));
const allMessages = messages.flat();
let session = 0;

describe(`a message that is forged into a message (seed ${SEED})`, () => {
  for (const [index, filter] of compiled.entries()) {
    it(`bans nobody who is only written about: ${filter.filter.name}`, (context) => {
      const random = randomOf(SEED + index);
      const tried = new Set<string>();
      const samples = filter.rules.flatMap((rule) =>
        rule.rule.samples
          .filter(({ expect }) => expect !== null && expect.address !== '')
          .map((sample) => ({ rule, sample })),
      );
      for (let run = 0; run < LINES_PER_FILTER && samples.length > 0; run++) {
        const { rule, sample } = pick(samples, random);
        const own = random() < 0.5 ? (messages[index] ?? []) : allMessages;
        const line = forge(rule, sample, pick(own, random), random);
        if (line === null || tried.has(line)) continue;
        tried.add(line);
        for (const match of matchesOf(filter, sample, line)) {
          const isVictim = match.kind === 'failure' && VICTIMS.includes(match.address);
          assert.ok(
            !isVictim,
            `${match.filter}/${match.rule} takes ${match.address} from ${JSON.stringify(line)}`,
          );
        }
      }
      if (tried.size === 0) context.diagnostic('a client writes nothing into these lines');
    });
  }
});

/** Of every mode, with the identifier of the filter's service and without. */
function matchesOf({ filter }: CompiledFilter, { before }: Sample, line: string): Match[] {
  const identifier = filter.input.identifiers[0]?.replace(/\*$/, '') ?? '';
  const found: Match[] = [];
  const pid = String(++session);
  for (const message of before) matcher.match(recordOf({ message, identifier, pid }), []);
  matcher.match(recordOf({ message: line, identifier, pid }), found);
  matcher.matchAll(recordOf({ message: line, identifier: '', pid: `${pid}a` }), found);
  return found;
}

/** The samples' lines with a victim for the client: what one may want to be read. */
function messagesOf(samples: readonly Sample[]): string[] {
  return samples.flatMap(({ line, expect }) => {
    if (expect === null || expect.address === '') return [];
    return VICTIMS.map((victim) => replaceAddresses(line, victim));
  });
}

function replaceAddresses(line: string, victim: string): string {
  return line.replace(/(?:::ffff:)?203\.0\.113\.\d+|2001:db8::9/g, victim);
}

/** The sample's line with a message in one of the places that are the client's; null when there is no such place. */
function forge(rule: CompiledRule, sample: Sample, message: string, random: () => number): string | null {
  const [before, after] = pick(WRAPPINGS, random);
  const text = before + message + after;
  const { form } = rule.rule.pattern;
  if (form === 'json') return forgeJson(rule, sample.line, text, random);
  if (form === 'access') return forgeAccess(sample.line, text, random);
  const pattern = rule.reader.parts(sample.line)[0]?.pattern;
  if (!(pattern instanceof CompiledPattern)) return null;
  // What begins a line is a time or a prefix of the service's own.
  const places = pattern.stretches(sample.line).filter(({ kind, start }) => kind === 'free' && start > 0);
  if (places.length === 0) return null;
  const { start, end } = pick(places, random);
  const kept = random() < 0.5 ? sample.line.slice(start, end) : '';
  return sample.line.slice(0, start) + kept + text + sample.line.slice(end);
}

/** In place of a text of the object that may be anything to the rule, and so is the client's. */
function forgeJson(rule: CompiledRule, line: string, text: string, random: () => number): string | null {
  const start = line.indexOf('{');
  const texts = [...line.slice(start).matchAll(/(?<=: ?)"((?:[^"\\]|\\.)*)"/g)];
  const variants = texts.map(({ 0: quoted, index }) => (value: string) => {
    const from = start + index;
    return line.slice(0, from) + JSON.stringify(value) + line.slice(from + quoted.length);
  });
  const address = rule.reader.read(line)?.address;
  const free = variants.filter((variant) => rule.reader.read(variant('x'))?.address === address);
  return free.length === 0 ? null : pick(free, random)(text);
}

/** Into the request, the referer or the agent, with quotes and what is not printable escaped as web servers do. */
function forgeAccess(line: string, text: string, random: () => number): string | null {
  const places = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)];
  if (places.length === 0) return null;
  const { 0: quoted, index } = pick(places, random);
  const escaped = text.replace(/["\\]/g, '\\$&').replace(/[\0\r\n]/g, '\\x0a');
  return `${line.slice(0, index)}"${escaped}"${line.slice(index + quoted.length)}`;
}

function readFilters(path: string): Filter[] {
  const names = listTomlFiles(path);
  assert.ok(!('message' in names));
  return names.map((name) => {
    const source = readSource(join(path, name));
    assert.ok(!('message' in source));
    const { root } = parseDocument(source);
    assert.ok(root !== null, `${name} is no TOML`);
    const { filter } = readFilter(name.slice(0, -'.toml'.length), root);
    assert.ok(filter !== null, `${name} is no filter`);
    return filter;
  });
}

function pick<Item>(items: readonly Item[], random: () => number): Item {
  const item = items[Math.floor(random() * items.length)];
  assert.ok(item !== undefined, 'nothing to pick from');
  return item;
}

/** Numbers from 0 up to 1 that a seed decides: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
