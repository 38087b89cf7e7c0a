/** Outcomes of benchmarks as aligned text for people, and as objects for programs. */
import type { Cell, Outcome, Table } from '../benchmark.ts';

/** The tables, then the notes, each line ended. */
export function formatOutcome(outcome: Outcome): string {
  const tables = outcome.tables.map((table) =>
    alignTable(table)
      .map((line) => `  ${line}\n`)
      .join(''),
  );
  const notes = outcome.notes.map((note) => `  ${note}\n`).join('');
  return [...tables, notes].filter((text) => text !== '').join('\n');
}

/** Each row as one object with its label and a value for each column. */
export function outcomeAsJson(outcome: Outcome): object {
  return {
    tables: outcome.tables.map(({ columns, rows }) =>
      rows.map(({ label, cells }) => ({
        label,
        ...Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? null])),
      })),
    ),
    notes: outcome.notes,
  };
}

/** Three significant digits, and thousands kept apart: `0.123`, `45.6`, `1,234,567`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  const decimals = Math.min(4, Math.max(0, 2 - digits));
  return value.toLocaleString('en-US', {
    minimumFractionDigits: Number.isInteger(value) ? 0 : decimals,
    maximumFractionDigits: decimals,
  });
}

/** Labels and texts to the left, numbers to the right. */
function alignTable({ columns, rows }: Table): string[] {
  const lines = [['', ...columns], ...rows.map(({ label, cells }) => [label, ...cells.map(formatCell)])];
  const widths = ['', ...columns].map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const isText = (column: number): boolean =>
    column === 0 || rows.every(({ cells }) => typeof cells[column - 1] === 'string');
  return lines.map((line) =>
    line
      .map((text, column) =>
        isText(column) ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

function formatCell(cell: Cell): string {
  return typeof cell === 'number' ? formatNumber(cell) : cell;
}
