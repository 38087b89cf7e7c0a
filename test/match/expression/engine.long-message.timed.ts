/**
 * How long one message can hold up everything: 64 KiB of what nearly matches a rule. The texts are made from the
 * samples of every shipped filter: a piece of one repeated inside it, at its end, or alone, and all kinds of characters
 * in the middle. `BAILIFF_FUZZ_SEED` and `BAILIFF_FUZZ_RUNS` search further.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { parseDocument } from '../../../src/config/document/document.ts';
import { listTomlFiles, readSource } from '../../../src/config/document/files.ts';
import { readFilter } from '../../../src/config/filters/schema.ts';
import type { Filter } from '../../../src/match/filter.ts';
import { createMatcher } from '../../../src/match/matcher.ts';
import { Random } from '../../sim/random.ts';
import { recordOf } from '../records.ts';

const SEED = Number(process.env.BAILIFF_FUZZ_SEED ?? 20_261_121);
const TEXTS_PER_FILTER = Number(process.env.BAILIFF_FUZZ_RUNS ?? 12);
const LENGTH = 65_536;

/** Milliseconds of processor time. The worst that is known takes 3 on a machine that does nothing else. */
const MAX_MILLISECONDS = 50;

const FILLERS = ['a', ' ', '1.', '"', 'a: ', '[', ':', '1', 'a=', '\\"', '/', ',', '\0', '\u00e9', '\ud800'];

const directory = new URL('../../../etc/filters', import.meta.url).pathname;
const filters = readFilters();
const matcher = createMatcher(filters);

it(`64 KiB of anything take bounded time, whatever filter reads them (seed ${SEED})`, (context) => {
  const random = new Random(SEED);
  let worst = { milliseconds: 0, filter: '', text: '' };
  for (const filter of filters) {
    const lines = filter.rules
      .flatMap(({ samples }) => samples.map(({ line }) => line))
      .filter(({ length }) => length > 1);
    for (let run = 0; run < TEXTS_PER_FILTER && lines.length > 0; run++) {
      const text = stretch(random.pick(lines), random);
      const milliseconds = Math.min(timeOf(filter, text), timeOf(filter, text));
      if (milliseconds > worst.milliseconds) worst = { milliseconds, filter: filter.name, text };
    }
  }
  const shown = JSON.stringify(`${worst.text.slice(0, 120)} ... ${worst.text.slice(-40)}`);
  context.diagnostic(`the worst took ${worst.milliseconds} ms: ${worst.filter} with ${shown}`);
  assert.ok(
    worst.milliseconds < MAX_MILLISECONDS,
    `${worst.filter} took ${worst.milliseconds} ms with ${shown}`,
  );
});

/** A line made LENGTH long. */
function stretch(line: string, random: Random): string {
  const start = random.below(line.length);
  const end = start + 1 + random.below(Math.min(40, line.length - start));
  const unit = random.below(3) === 0 ? random.pick(FILLERS) : line.slice(start, end);
  const head = line.slice(0, end);
  const tail = line.slice(end);
  switch (random.below(4)) {
    case 0:
      return line.repeat(Math.ceil(LENGTH / line.length)).slice(0, LENGTH);
    case 1:
      return (head + unit.repeat(LENGTH)).slice(0, LENGTH);
    case 2:
      return `${(head + unit.repeat(LENGTH)).slice(0, LENGTH - tail.length - 1)}${tail}\n`;
    default:
      return (head + unit.repeat(LENGTH)).slice(0, LENGTH - tail.length) + tail;
  }
}

function timeOf(filter: Filter, message: string): number {
  const identifier = (filter.input.identifiers[0] ?? '').replace(/\*$/, '');
  const before = process.threadCpuUsage();
  matcher.match(recordOf({ message, identifier }), []);
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

/** Read, but not linted: what is looked for is what the linter cannot see. */
function readFilters(): Filter[] {
  const names = listTomlFiles(directory);
  assert.ok(Array.isArray(names));
  return names.flatMap((name) => {
    const source = readSource(join(directory, name));
    if ('message' in source) return [];
    const { root } = parseDocument(source);
    return root === null ? [] : (readFilter(name.slice(0, -'.toml'.length), root).filter ?? []);
  });
}
