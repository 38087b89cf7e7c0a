/** Text in columns. Every cell is made printable here, so that no command can forget it. */
import { printable } from '../../core/text/printable.ts';
import type { Paint, Terminal } from './terminal.ts';

export type Column = { readonly title: string; readonly align: 'left' | 'right' };
export type Cell = { readonly text: string; readonly paint?: Paint };
/** A bare string is a cell without colour. */
export type Row = ReadonlyArray<Cell | string>;

const GAP = '  ';
/** The last column is wrapped, but never narrower than this. */
const MIN_WRAPPED_WIDTH = 20;

/** Aligned lines under their titles; the last column, when it is aligned left, is wrapped to the terminal. */
export function renderTable(columns: readonly Column[], rows: readonly Row[], terminal: Terminal): string {
  const cells = rows.map((row) => row.map(toCell));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((row) => row[index]?.text.length ?? 0)),
  );
  const titles = columns.map(({ title }) => ({ text: title, paint: terminal.style.dim }));
  const wrapped = cells.flatMap((row) => wrapLastCell(row, columns, widths, terminal.columns));
  return [titles, ...wrapped].map((row) => renderRow(row, columns, widths)).join('\n');
}

/** Breaks at blanks; a word that is longer than the width stays whole. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** `1234567` as `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 ban`, `2 bans`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function toCell(cell: Cell | string): Cell {
  if (typeof cell === 'string') return { text: printable(cell) };
  return { ...cell, text: printable(cell.text) };
}

/** The row, and below it the rest of its last cell in rows that are empty otherwise. */
function wrapLastCell(
  row: readonly Cell[],
  columns: readonly Column[],
  widths: readonly number[],
  terminalColumns: number,
): ReadonlyArray<readonly Cell[]> {
  const last = row.at(-1);
  if (last === undefined || columns.at(-1)?.align !== 'left') return [row];
  const taken = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const lines = wrapText(last.text, Math.max(MIN_WRAPPED_WIDTH, terminalColumns - taken));
  return lines.map((text, index) => {
    const before = index === 0 ? row.slice(0, -1) : row.slice(0, -1).map(() => ({ text: '' }));
    return [...before, { ...last, text }];
  });
}

function renderRow(row: readonly Cell[], columns: readonly Column[], widths: readonly number[]): string {
  const painted = row.map(({ text, paint }, index) => {
    const blanks = ' '.repeat(Math.max(0, (widths[index] ?? 0) - text.length));
    const shown = paint === undefined || text === '' ? text : paint(text);
    if (columns[index]?.align === 'right') return blanks + shown;
    return index === row.length - 1 ? shown : shown + blanks;
  });
  return painted.join(GAP).trimEnd();
}
