/**
 * The series of one metric: a cell for each combination of label values. Writing finds its cell through one Map for
 * each label and adds to a number; the client library, which makes a text of the label values for every call, sees
 * the numbers only when somebody asks for them.
 */
import type { LabelName } from './entry.ts';

/** What takes the place of a label value that is not accepted. */
export const OTHER = 'other';

/** Distinct values of one label in all metrics together; the first to come stay, further ones count as OTHER. */
export const MAX_LABEL_VALUES = 256;

/** Names from the configuration and words of this program; anything else counts as OTHER. */
const NAME = /^[\w.:~+@-]{1,64}$/;

export type Cell = { readonly labels: Readonly<Record<string, string>>; value: number };

type Node = Map<string, Node | Cell>;

/** The values that each label may take, the same in all metrics, so that they can be joined. */
export class LabelValues {
  readonly #values = new Map<LabelName, Set<string>>();
  readonly #onOverflow: (label: LabelName) => void;

  constructor(onOverflow: (label: LabelName) => void) {
    this.#onOverflow = onOverflow;
  }

  /** The value itself, or OTHER. */
  accept(label: LabelName, value: string): string {
    let values = this.#values.get(label);
    if (values === undefined) {
      values = new Set();
      this.#values.set(label, values);
    }
    if (values.has(value)) return value;
    if (values.size >= MAX_LABEL_VALUES || !NAME.test(value)) {
      this.#onOverflow(label);
      return OTHER;
    }
    values.add(value);
    return value;
  }
}

export class SeriesSet {
  readonly #labels: readonly LabelName[];
  readonly #accepted: LabelValues;
  readonly #root: Node = new Map();
  #cells: Cell[] = [];

  constructor(labels: readonly LabelName[], accepted: LabelValues) {
    this.#labels = labels;
    this.#accepted = accepted;
  }

  get cells(): readonly Cell[] {
    return this.#cells;
  }

  /** The cell of these label values, begun at zero when there is none; a metric has two labels at most. */
  cell(first = '', second = ''): Cell {
    const found =
      this.#labels.length === 2
        ? (this.#root.get(first) as Node | undefined)?.get(second)
        : this.#root.get(first);
    return (found as Cell | undefined) ?? this.#begin([first, second].slice(0, this.#labels.length));
  }

  /** Forgets the series of these label values. */
  remove(first = '', second = ''): void {
    const hasTwo = this.#labels.length === 2;
    const node = hasTwo ? this.#root.get(first) : this.#root;
    const key = hasTwo ? second : first;
    if (!(node instanceof Map)) return;
    const cell = node.get(key);
    node.delete(key);
    this.#cells = this.#cells.filter((other) => other !== cell);
  }

  /** Forgets every series. */
  clear(): void {
    this.#root.clear();
    this.#cells = [];
  }

  #begin(values: readonly string[]): Cell {
    const accepted = this.#labels.map((label, index) => this.#accepted.accept(label, values[index] ?? ''));
    const path = accepted.length === 0 ? [''] : accepted;
    let node = this.#root;
    for (const value of path.slice(0, -1)) {
      const next = (node.get(value) as Node | undefined) ?? new Map();
      node.set(value, next);
      node = next;
    }
    const last = path.at(-1) ?? '';
    const found = node.get(last) as Cell | undefined;
    if (found !== undefined) return found;
    const cell = {
      labels: Object.fromEntries(this.#labels.map((label, index) => [label, accepted[index] ?? ''])),
      value: 0,
    };
    node.set(last, cell);
    this.#cells.push(cell);
    return cell;
  }
}
