/** The last hour in one line: failures and bans as bars, each beside its sum. */
import type { ActivityReport } from '../../http/control.ts';
import { formatCount } from './table.ts';
import type { Terminal } from './terminal.ts';

/** From nothing to the most; what is more than nothing is never drawn as nothing. */
const BLOCKS = '▁▂▃▄▅▆▇█';
const ASCII_BLOCKS = '_.:-=+*#';

/** Widths of a sparkline whose bars stand for whole minutes, all for as many; the widest that fits is taken. */
const WIDTHS = [60, 30, 20, 15, 12, 10];
const NARROWEST = 6;

/** `last hour: failures ▁▁▂█ 42, bans ▁▁▁▂ 3`. */
export function renderActivity({ failures, bans }: ActivityReport, terminal: Terminal): string {
  const { style, environment, columns } = terminal;
  const counts = { failures: formatCount(sumOf(failures)), bans: formatCount(sumOf(bans)) };
  const words = `last hour: failures  ${counts.failures}, bans  ${counts.bans}`.length;
  const width = WIDTHS.find((each) => words + 2 * each <= columns) ?? NARROWEST;
  const blocks = showsUtf8(environment) ? BLOCKS : ASCII_BLOCKS;
  const failureLine = style.yellow(sparkline(failures, width, blocks));
  const banLine = style.red(sparkline(bans, width, blocks));
  return `last hour: failures ${failureLine} ${counts.failures}, bans ${banLine} ${counts.bans}`;
}

/** As many bars as `width`, oldest first; the highest is the most that there was. */
export function sparkline(values: readonly number[], width: number, blocks: string): string {
  const valuesPerBar = Math.max(1, Math.ceil(values.length / width));
  const bars: number[] = [];
  for (let start = 0; start < values.length; start += valuesPerBar) {
    bars.push(sumOf(values.slice(start, start + valuesPerBar)));
  }
  const most = Math.max(...bars, 1);
  return bars.map((bar) => blocks[Math.ceil((bar / most) * (blocks.length - 1))]).join('');
}

/** What locale(7) says of the characters: the first of these that is set decides. */
export function showsUtf8({ LC_ALL, LC_CTYPE, LANG }: Terminal['environment']): boolean {
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '');
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
