/** Reads the last day of the journal as the daemon would: what is not believed, and which filter finds nothing. */
import type { Plan } from '../../config/plan.ts';
import { OperationalError } from '../../core/errors.ts';
import type { Match } from '../../core/failure.ts';
import { DAY, MILLISECOND } from '../../core/time.ts';
import { type RaisedWarning, raise } from '../../core/warning/catalogue.ts';
import type { Filter } from '../../match/filter.ts';
import { createMatcher } from '../../match/matcher.ts';
import { routeResult } from '../../match/router.ts';
import { MACHINE_CLOCKS } from '../../native/machine-clocks.ts';
import { scanJournal } from '../../sources/journal/scan.ts';
import { type Check, type DoctorWorld, foundOrOk, ok, skipped, type Verdict } from './check.ts';

const NAME = 'journal';

/** Entries that are read at most: two seconds. */
export const MAX_ENTRIES = 100_000;

/** A filter that read fewer records than this may just have had nothing to find. */
export const MIN_RECORDS = 20;

/** What one filter made of the entries. */
export type FilterSight = {
  readonly filter: string;
  read: number;
  refused: number;
  matched: number;
  near: number;
};

export const journal: Check = { name: NAME, run: look };

async function look({ plan, isRoot }: DoctorWorld): Promise<readonly Verdict[]> {
  if (plan === null) return [skipped(NAME, 'the configuration has a fault')];
  if (!plan.journal.enabled) return [ok(NAME, 'not read: [journal] enabled is false')];
  try {
    const { sights, entries } = await readLastDay(plan);
    const which = isRoot ? '' : ' that this user may read';
    return foundOrOk(
      NAME,
      judge(sights),
      `${entries} entries of the last day${which} make sense to their filters`,
    );
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error;
    return [skipped(NAME, error.message)];
  }
}

/** What the sights say; silence of a filter is told only when records nearly matched. */
export function judge(sights: readonly FilterSight[]): readonly RaisedWarning[] {
  return sights.flatMap(({ filter, read, refused, matched, near }) => [
    ...(refused > 0 && refused >= read ? [raise('journal-fields-missing', { refused, read }, filter)] : []),
    ...(matched === 0 && read >= MIN_RECORDS && near > 0
      ? [raise('filter-silent', { read, near }, filter)]
      : []),
  ]);
}

async function readLastDay(plan: Plan): Promise<{ sights: readonly FilterSight[]; entries: number }> {
  const used = new Set(plan.jails.flatMap(({ filters }) => filters));
  const filters = plan.filters.filter(({ name }) => used.has(name));
  const reader = createSightReader(filters);
  let entries = 0;
  const options = {
    directory: plan.journal.directory,
    matches: [],
    since: Math.max(0, MACHINE_CLOCKS.timeOfDay() * MILLISECOND - DAY),
    clocks: MACHINE_CLOCKS,
    warn: () => undefined,
  };
  for await (const records of scanJournal(options)) {
    for (const record of records) reader.take(record);
    entries += records.length;
    if (entries >= MAX_ENTRIES) break;
  }
  return { sights: reader.sights(), entries };
}

/** Counts what each filter makes of records. */
export function createSightReader(filters: readonly Filter[]) {
  const matcher = createMatcher(filters);
  const sights = filters.map(
    ({ name }): FilterSight => ({
      filter: name,
      read: 0,
      refused: 0,
      matched: 0,
      near: 0,
    }),
  );
  const found: Match[] = [];
  return {
    take(record: Parameters<typeof matcher.match>[0]): void {
      for (const [index, filter] of filters.entries()) {
        const sight = sights[index];
        const result = routeResult(filter, record);
        if (sight === undefined || filter.input.identifiers.length === 0) continue;
        if (result === 'read') sight.read++;
        else if (result === 'untrusted') sight.refused++;
      }
      found.length = 0;
      matcher.match(record, found);
      for (const { filter } of found) {
        const sight = sights.find((one) => one.filter === filter);
        if (sight !== undefined) sight.matched++;
      }
    },
    sights(): readonly FilterSight[] {
      for (const { filter, nearMisses } of matcher.takeCounters().filters) {
        const sight = sights.find((one) => one.filter === filter);
        if (sight !== undefined) sight.near += nearMisses;
      }
      return sights;
    },
  };
}
