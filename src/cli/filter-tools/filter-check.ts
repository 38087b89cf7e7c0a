/** Examines filters one by one, for `bailiff test` and `bailiff lint`, and reports what came out. */

import type { Problem } from '../../config/document/problem.ts';
import { type LoadedFilter, loadFilter } from '../../config/filters/filter-file.ts';
import { type Column, countOf, formatCount, type Row, renderTable } from '../render/table.ts';
import { complainAbout, type Terminal } from '../render/terminal.ts';
import { complainOfFilter, type NamedFilter } from './filter-choice.ts';

/** What `--json` prints. */
export type FilterCheckReport = {
  readonly good: boolean;
  readonly filters: readonly FilterCheck[];
};

export type FilterCheck = {
  readonly name: string;
  readonly good: boolean;
  /** 0 for a filter whose form is wrong already. */
  readonly rules: number;
  readonly samples: number;
  /** Forged lines tried; 0 unless they were asked for and nothing else was wrong. */
  readonly forged: number;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
};

export type CheckOptions = {
  /** Whether to try forged lines. */
  readonly forge: boolean;
  /** Whether what the linter only warns of in a user's own filters is an error in all of them. */
  readonly strict: boolean;
  /** Whether to tell of every problem as soon as it is found. */
  readonly isTold: boolean;
};

/** Loads every filter as the daemon would. */
export async function checkFilters(
  named: readonly NamedFilter[],
  { forge, strict, isTold }: CheckOptions,
  terminal: Terminal,
): Promise<FilterCheckReport> {
  const filters: FilterCheck[] = [];
  for (const [index, { name, directory }] of named.entries()) {
    terminal.showProgress(`${formatCount(index)} of ${countOf(named.length, 'filter')}: ${name}`);
    const loaded = loadFilter(name, { ...directory, strict: directory.strict || strict }, forge);
    if (isTold) complainOfFilter(loaded, terminal);
    filters.push(reportOn(name, loaded));
    // A signal, such as that of Ctrl-C, is heard between two filters.
    await new Promise((resolve) => setImmediate(resolve));
  }
  terminal.showProgress('');
  return { good: filters.every((filter) => filter.good), filters };
}

function reportOn(name: string, { filter, tally, problems, warnings }: LoadedFilter): FilterCheck {
  return { name, good: filter !== null, ...tally, problems, warnings };
}

const TALLIES: Readonly<Record<'rules' | 'samples' | 'forged', Column>> = {
  rules: { title: 'RULES', align: 'right' },
  samples: { title: 'SAMPLES', align: 'right' },
  forged: { title: 'FORGED LINES', align: 'right' },
};

/** One row for each filter and, when there are several, one for all; on standard error what is to be done. */
export function showCheck(
  { filters, good }: FilterCheckReport,
  shown: readonly (keyof typeof TALLIES)[],
  terminal: Terminal,
): void {
  const { bold, red, green } = terminal.style;
  const rows = filters.map((filter): Row => {
    const result = filter.good ? { text: 'good', paint: green } : { text: 'refused', paint: red };
    return [{ text: filter.name, paint: bold }, ...shown.map((key) => formatCount(filter[key])), result];
  });
  if (filters.length > 1) {
    const sum = (key: keyof typeof TALLIES): number =>
      filters.reduce((total, filter) => total + filter[key], 0);
    rows.push([
      { text: countOf(filters.length, 'filter'), paint: bold },
      ...shown.map((key) => formatCount(sum(key))),
    ]);
  }
  const columns = [
    { title: 'FILTER', align: 'left' } as const,
    ...shown.map((key) => TALLIES[key]),
    { title: 'RESULT', align: 'left' } as const,
  ];
  terminal.print(renderTable(columns, rows, terminal));
  if (good) return;
  const refused = filters.filter((filter) => !filter.good);
  complainAbout(
    terminal,
    `${countOf(refused.length, 'filter')} cannot be used: ${refused.map(({ name }) => name).join(', ')}`,
  );
}
