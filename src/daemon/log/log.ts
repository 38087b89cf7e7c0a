/**
 * The daemon's own log: structured entries when systemd's journal takes our output, plain lines otherwise, with
 * colours on a terminal. An attack must not turn into a flood of log lines: those of one kind are limited each second,
 * and what was left out is told.
 */
import type { BailiffEvent, EventKind } from '../../core/event.ts';
import { type Clock, type Microseconds, SECOND } from '../../core/time.ts';
import { type LogLine, logLineOf, SEVERITY_NUMBERS, type Severity } from './log-line.ts';

/** Lines of one kind in one second; the metrics count all of them. */
export const MAX_LINES_PER_SECOND = 50;

const LEFT_OUT_ID = '4cf3dd09ea97406e866c9255c2b371fb';

export type WriteLine = (line: LogLine) => void;

export type Log = {
  /** Logs what an event has to say. */
  observe(event: BailiffEvent): void;
  /** Tells what was left out in a second that is over; call it now and then. */
  tick(): void;
};

export function createLog(write: WriteLine, clock: Clock): Log {
  const budgets = new Map<EventKind, { second: number; written: number; leftOut: number }>();

  function report(kind: EventKind, leftOut: number): void {
    if (leftOut === 0) return;
    const message = `${leftOut} more lines about "${kind}" were left out`;
    write({ severity: 'info', message, messageId: LEFT_OUT_ID, fields: {} });
  }

  function admits(kind: EventKind): boolean {
    const second = secondOf(clock.now());
    const budget = budgets.get(kind) ?? { second, written: 0, leftOut: 0 };
    budgets.set(kind, budget);
    if (budget.second !== second) {
      report(kind, budget.leftOut);
      Object.assign(budget, { second, written: 0, leftOut: 0 });
    }
    if (budget.written < MAX_LINES_PER_SECOND) {
      budget.written++;
      return true;
    }
    budget.leftOut++;
    return false;
  }

  return {
    observe(event) {
      const line = logLineOf(event);
      if (line !== null && admits(event.kind)) write(line);
    },
    tick() {
      const second = secondOf(clock.now());
      for (const [kind, budget] of budgets) {
        if (budget.second === second) continue;
        report(kind, budget.leftOut);
        budgets.delete(kind);
      }
    },
  };
}

function secondOf(at: Microseconds): number {
  return Math.floor(at / SECOND);
}

const COLOURS: Readonly<Record<Severity, string>> = {
  error: '\x1b[31m',
  warning: '\x1b[33m',
  notice: '\x1b[1m',
  info: '\x1b[2m',
};

/** Writes lines for people: the time of day and the message, coloured by severity where `colour` is set. */
export function createPlainWriter(
  output: { write(text: string): unknown },
  clock: Clock,
  colour: boolean,
): WriteLine {
  return (line) => {
    const time = new Date(clock.now() / 1_000).toTimeString().slice(0, 8);
    const text = colour ? `${COLOURS[line.severity]}${line.message}\x1b[0m` : line.message;
    output.write(`${time} ${text}\n`);
  };
}

/** Writes journal entries through `send`, which takes the fields of one (sd_journal_sendv(3)). */
export function createJournalWriter(send: (fields: Readonly<Record<string, string>>) => void): WriteLine {
  return (line) =>
    send({
      MESSAGE: line.message,
      MESSAGE_ID: line.messageId,
      PRIORITY: String(SEVERITY_NUMBERS[line.severity]),
      SYSLOG_IDENTIFIER: 'bailiff',
      ...line.fields,
    });
}
