/** The Grafana boards of etc/grafana as the tests see them: panels, and every query with its variables filled in. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const BOARDS = ['overview', 'senders', 'internals'] as const;

export type Target = { readonly refId: string; readonly expr: string; readonly legendFormat: string };
export type GridPosition = {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
};
export type FieldDefaults = {
  readonly unit?: string;
  readonly custom?: { readonly axisLabel?: string };
  readonly thresholds?: { readonly steps: readonly { readonly value: number | null }[] };
};
export type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: GridPosition;
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: FieldDefaults };
  readonly options?: Readonly<Record<string, unknown>>;
};
export type Variable = {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
};
export type Board = {
  readonly uid: string;
  readonly title: string;
  readonly tags: readonly string[];
  readonly links: readonly { readonly type: string; readonly tags: readonly string[] }[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly Panel[];
};
export type BoardQuery = { readonly board: string; readonly panel: string; readonly expr: string };

/** A file of etc/, by its path in there. */
export function etcPath(name: string): string {
  return fileURLToPath(new URL(`../../etc/${name}`, import.meta.url));
}

export function readBoard(name: string): Board {
  return JSON.parse(readFileSync(etcPath(`grafana/${name}.json`), 'utf8')) as Board;
}

/** Every query of every panel, as Grafana sends it: all hosts, all jails, `rangeSeconds` shown and asked about. */
export function boardQueries(rangeSeconds: number): BoardQuery[] {
  return BOARDS.flatMap((board) =>
    readBoard(board).panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr }) => ({
        board,
        panel: panel.title,
        expr: fillIn(expr, rangeSeconds),
      })),
    ),
  );
}

/**
 * What an alert compares, as queries of their own: the operands of its comparisons in which a metric stands. Prometheus
 * has written the query, so an operator has a blank on each side. What is to be absent must be there, and what is asked
 * about a time before is asked about now.
 */
export function comparedIn(query: string): string[] {
  return query
    .replaceAll(/ offset \w+/g, '')
    .split(/ (?:unless|==|!=|<=|>=|<|>) /)
    .map((operand) => operand.replace(/^absent\(/, 'count('))
    .filter((operand) => /[a-z]_|\bup\b/.test(operand));
}

/** Names of the metrics in a query, histograms under their own name; without those that recording rules make. */
export function metricsIn(expr: string): string[] {
  const found = expr.match(/(?<![\w:])(?:bailiff|process|nodejs)_[a-z0-9_]+(?![\w:])/g) ?? [];
  return found.map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
}

/** Grafana's variables, with what they are when everything is chosen. */
function fillIn(expr: string, rangeSeconds: number): string {
  const filled = expr
    .replace(/\$__(?:rate_interval|range|interval)\b/g, `${rangeSeconds}s`)
    .replace(/\$(?:instance|jail)\b/g, '.*');
  if (filled.includes('$')) throw new Error(`a variable that no test knows: ${expr}`);
  return filled;
}
