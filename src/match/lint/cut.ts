/**
 * Lines that were cut on their way. A forger fills the text that he may choose with the rest of a line and somebody
 * else's address, so long that whatever cuts lines cuts off what the service wrote behind it. No length of what is left
 * may give that address.
 */
import type { Sample } from '../filter.ts';
import { CompiledPattern } from '../pattern.ts';
import type { CompiledFilter, CompiledRule, Reader } from '../rule.ts';
import type { ForgeReport, Forgery } from './forge.ts';
import { SampleBench } from './samples.ts';

/** For documentation (RFC 5737). */
const VICTIM = '198.51.100.66';

/** Lengths tried one after the other from the first that may be a cut line's. */
const LENGTHS_IN_A_ROW = 64;

/** Where nginx, journald and rsyslog cut, in bytes. */
const KNOWN_LENGTHS: readonly number[] = [2_047, 4_096, 8_192, 49_152];

/** Tries all cut lines of a filter; stops at the first that works for each sample. */
export function cutFilter(compiled: CompiledFilter): ForgeReport {
  const bench = new SampleBench(compiled);
  const patterns = compiled.rules.flatMap(({ reader }) => wholePatternOf(reader) ?? []);
  const limits = patterns.map(({ maxWholeLine }) => maxWholeLine).filter(Number.isFinite);
  const lengths = lengthsFrom(1 + Math.max(0, ...limits));
  let tried = 0;
  const forgeries: Forgery[] = [];
  for (const rule of compiled.rules) {
    for (const [sampleIndex, sample] of rule.rule.samples.entries()) {
      for (const line of cutLines(rule, sample, lengths)) {
        tried++;
        const match = bench.match(sample.before, line);
        if (match?.address !== VICTIM) continue;
        forgeries.push({ rule: rule.rule.name, sampleIndex, line, address: VICTIM });
        break;
      }
    }
  }
  return { tried, forgeries };
}

/** Beyond what any rule of the filter believes to be whole. */
function lengthsFrom(first: number): number[] {
  const inARow = Array.from({ length: LENGTHS_IN_A_ROW }, (_, index) => first + index);
  return [...inARow, ...KNOWN_LENGTHS.filter((length) => length > first)];
}

/** The pattern of a rule that reads whole messages; null for those that read fields. */
function wholePatternOf(reader: Reader, line = ''): CompiledPattern | null {
  const [part] = reader.parts(line);
  return part?.field === '' && part.pattern instanceof CompiledPattern ? part.pattern : null;
}

function* cutLines(
  { reader }: CompiledRule,
  { line, expect }: Sample,
  lengths: readonly number[],
): Generator<string> {
  const pattern = wholePatternOf(reader, line);
  if (pattern === null || expect === null || expect.address === '') return;
  const stretches = pattern.stretches(line);
  const address = stretches.findLast(({ kind }) => kind === 'address');
  for (const { kind, start, end } of stretches) {
    if (kind !== 'free' || address === undefined || start >= address.start) continue;
    const head = line.slice(0, start);
    const rest = line.slice(end).split(expect.address).join(VICTIM);
    for (const length of lengths) {
      const filler = length - Buffer.byteLength(head) - Buffer.byteLength(rest);
      if (filler > 0) yield `${head}${'a'.repeat(filler)}${rest}`;
    }
  }
}
