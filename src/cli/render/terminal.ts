/** Where a command writes to, and what it may know of its surroundings. Tests have one of their own. */

import { styleText } from 'node:util';
import { printable } from '../../core/text/printable.ts';
import { type Elapsed, MACHINE_CLOCKS } from '../../native/machine-clocks.ts';

export type Paint = (text: string) => string;

/** Each of them leaves the text as it is when colours are off. */
export type Style = {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
  readonly green: Paint;
};

export type Terminal = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly userId: number;
  /** How wide text may become; names, addresses and paths that are longer are not cut. */
  readonly columns: number;
  /** For standard output. */
  readonly style: Style;
  /** Whether a person looks at standard output, and not a program or a file. */
  readonly isSeen: boolean;
  /** Milliseconds since 1970 UTC. */
  now(): number;
  /** For lengths of time. */
  readonly elapsed: Elapsed;
  /** Writes to standard output, and a line feed. */
  print(text: string): void;
  /** Writes to standard error, and a line feed. */
  complain(text: string): void;
  /**
   * Shows one line below everything else while work goes on, in place of the one before; '' takes it away. Does nothing
   * where nobody would see it.
   */
  showProgress(text: string): void;
  /**
   * Aborted when the user has had enough: by Ctrl-C, or when the process is told to end. Until it is asked for, either
   * ends the process.
   */
  interruption(): AbortSignal;
  /** Resolves when everything printed has been taken; to false when nobody is left to take more. */
  drain(): Promise<boolean>;
};

/** For text that goes to a file or a pipe, where the width must not depend on who looks. */
const DEFAULT_COLUMNS = 80;
const MIN_COLUMNS = 60;
const MAX_COLUMNS = 120;

const PLAIN: Paint = (text) => text;
export const PLAIN_STYLE: Style = { bold: PLAIN, dim: PLAIN, red: PLAIN, yellow: PLAIN, green: PLAIN };

/** The terminal of this process. Colours only where somebody sees them and has not set NO_COLOR (no-color.org). */
export function openTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const isSeen = stdout.isTTY === true;
  // `bailiff bans | head` closes the pipe early; nobody is left to be told.
  let isClosed = false;
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      isClosed ||= stream === stdout;
    });
  }
  const progress = new ProgressLine();
  return {
    environment: env,
    userId: process.getuid?.() ?? -1,
    columns: isSeen ? Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, stdout.columns)) : DEFAULT_COLUMNS,
    style: isSeen && !env.NO_COLOR && env.TERM !== 'dumb' ? createStyle() : PLAIN_STYLE,
    isSeen,
    now: MACHINE_CLOCKS.timeOfDay,
    elapsed: MACHINE_CLOCKS.elapsed,
    print: (text) => {
      progress.show('');
      stdout.write(`${text}\n`);
    },
    complain: (text) => {
      progress.show('');
      stderr.write(`${text}\n`);
    },
    showProgress: (text) => progress.show(text),
    interruption: () => {
      const controller = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
        process.once(signal, () => controller.abort());
      return controller.signal;
    },
    drain: async () => {
      if (stdout.writableNeedDrain) await new Promise<void>((resolve) => stdout.write('', () => resolve()));
      return !isClosed;
    },
  };
}

/** The last line of the terminal that standard error is. */
class ProgressLine {
  readonly #isUsable = process.stderr.isTTY === true && process.env.TERM !== 'dumb';
  #isShown = false;

  show(text: string): void {
    if (!this.#isUsable || (text === '' && !this.#isShown)) return;
    this.#isShown = text !== '';
    // Back to the first column, and erase to the end of the line: ECMA-48 section 8.3.41, EL.
    process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns || DEFAULT_COLUMNS) - 1)}`);
  }
}

/**
 * Resolves when everything printed has been taken, or nobody is left to take it. Where a pipe is in truth a socket,
 * what its reader has not taken yet would be lost by process.exit.
 */
export async function flushOutput(): Promise<void> {
  const flush = (stream: NodeJS.WriteStream): Promise<void> =>
    new Promise((resolve) => stream.write('', () => resolve()));
  await Promise.all([flush(process.stdout), flush(process.stderr)]);
}

/** What went wrong, and what to do about it where there is advice. Both may quote anything. */
export function complainAbout(terminal: Terminal, message: string, advice = ''): void {
  terminal.complain(`bailiff: ${printable(message)}`);
  if (advice !== '') terminal.complain(`  ${printable(advice)}`);
}

function createStyle(): Style {
  const paint =
    (format: 'bold' | 'dim' | 'red' | 'yellow' | 'green'): Paint =>
    (text) =>
      styleText(format, text, { validateStream: false });
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    yellow: paint('yellow'),
    green: paint('green'),
  };
}
