/** What an imported filter misses of what ours for the same service finds: ours has samples, fail2ban's has none. */
import { join } from 'node:path';
import { parseDocument } from '../../config/document/document.ts';
import { readSource } from '../../config/document/files.ts';
import { readFilter } from '../../config/filters/schema.ts';
import type { Match } from '../../core/failure.ts';
import { bareRecord } from '../../core/record.ts';
import type { Filter } from '../../match/filter.ts';
import { createMatcher } from '../../match/matcher.ts';
import { asFilter } from '../python-regex/examine.ts';
import type { ImportedFilter } from './filter.ts';

export type Comparison = {
  /** Lines that ours finds a failure in, each by itself and in its normal mode. */
  readonly all: number;
  /** Those in which the imported one finds another address or none. */
  readonly missed: readonly string[];
};

/** Tries the samples of our filter `name` in `directory`; null when it cannot be read. */
export function compareWithOurs(
  imported: ImportedFilter,
  directory: string,
  name: string,
): Comparison | null {
  const ours = readOurs(directory, name);
  if (ours === null) return null;
  const matcher = createMatcher([asFilter(imported)]);
  const identifier = imported.input.identifiers[0]?.replace(/\*$/, '') ?? '';
  const missed: string[] = [];
  const samples = samplesOf(ours);
  for (const { line, address } of samples) {
    const found: Match[] = [];
    matcher.matchAll({ ...bareRecord(line, 0), identifier }, found);
    if (!found.some((match) => match.kind === 'failure' && match.address === address)) missed.push(line);
  }
  return { all: samples.length, missed };
}

/** A filter of ours as it is written, without the proofs; null when it cannot be read. */
export function readOurs(directory: string, name: string): Filter | null {
  const source = readSource(join(directory, `${name}.toml`));
  if ('message' in source) return null;
  const { root } = parseDocument(source);
  return root === null ? null : readFilter(name, root).filter;
}

function samplesOf({ rules }: Filter): { readonly line: string; readonly address: string }[] {
  return rules
    .filter(({ kind, mode, after }) => kind === 'failure' && mode === 'normal' && after.length === 0)
    .flatMap(({ samples }) => samples)
    .flatMap(({ line, expect, before }) =>
      before.length > 0 || !expect?.address ? [] : { line, address: expect.address },
    );
}
