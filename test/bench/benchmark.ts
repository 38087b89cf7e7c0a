/** What a benchmark is, and what it hands to whoever prints it. Nothing is asserted: numbers depend on the machine. */

/** Text, or a number that is printed with three significant digits. */
export type Cell = string | number;

export type Row = {
  readonly label: string;
  /** One for each column of the table. */
  readonly cells: readonly Cell[];
};

export type Table = {
  /** Names of the columns after the label, with their units: `p50 ms`. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
};

export type Outcome = {
  readonly tables: readonly Table[];
  /** What must be known to read the numbers, one sentence each. */
  readonly notes: readonly string[];
};

export type Benchmark = {
  /** One word, for the command line. */
  readonly name: string;
  readonly measures: string;
  /** Why it cannot run on this machine and how to change that, or null. */
  missing(): string | null;
  run(): Promise<Outcome>;
};
