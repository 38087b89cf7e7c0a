/** What a check of `bailiff doctor` is, and what it may look at. */
import type { Plan } from '../../config/plan.ts';
import { type RaisedWarning, SEVERITIES } from '../../core/warning/catalogue.ts';
import { type Warning, warningOf } from '../../core/warning/standing.ts';
import type { StatusReport } from '../../http/control.ts';
import type { SendersReport } from '../../senders/report.ts';

/** What a program printed; null for one that is not installed. */
export type Ran = { readonly status: number; readonly stdout: string; readonly stderr: string };

/** What the checks look at. Tests have one of their own. */
export type DoctorWorld = {
  /** What the daemon says; null when it does not answer. */
  readonly status: StatusReport | null;
  readonly senders: SendersReport | null;
  /** What the files say; null when they have a fault. */
  readonly plan: Plan | null;
  /** What is wrong with the files, one line each. */
  readonly faults: readonly string[];
  readonly isRoot: boolean;
  /** Runs a program of this host to its end, at most for `milliseconds`. */
  readonly run: (words: readonly string[], milliseconds?: number) => Promise<Ran | null>;
};

/** One line of the report. */
export type Verdict = {
  readonly check: string;
  readonly verdict: 'ok' | 'skipped' | Warning['severity'];
  /** What was found, or why nobody looked. */
  readonly text: string;
  /** What helps; '' where nothing is wrong. */
  readonly action: string;
  /** Where it is explained; '' where nothing is wrong. */
  readonly page: string;
};

export type Check = {
  readonly name: string;
  readonly run: (world: DoctorWorld) => Promise<readonly Verdict[]>;
};

export function ok(check: string, text: string): Verdict {
  return { check, verdict: 'ok', text, action: '', page: '' };
}

export function skipped(check: string, reason: string): Verdict {
  return { check, verdict: 'skipped', text: reason, action: '', page: '' };
}

/** A warning of the catalogue as a verdict. */
export function found(check: string, raised: RaisedWarning): Verdict {
  const { severity, text, action, page } = warningOf(raised, 0);
  return { check, verdict: severity, text, action, page };
}

/** What was found, or that nothing was. */
export function foundOrOk(check: string, raised: readonly RaisedWarning[], well: string): readonly Verdict[] {
  return raised.length === 0 ? [ok(check, well)] : raised.map((one) => found(check, one));
}

/** The worst first; what is well, and what was skipped, at the end. */
export function sortVerdicts(verdicts: readonly Verdict[]): readonly Verdict[] {
  const order: readonly string[] = [...SEVERITIES, 'ok', 'skipped'];
  return [...verdicts].sort((one, other) => order.indexOf(one.verdict) - order.indexOf(other.verdict));
}
