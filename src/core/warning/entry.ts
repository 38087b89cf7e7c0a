/** What a kind of warning is made of, and the words to write one down. */
import type { Microseconds } from '../time.ts';

/** An error: something that was promised does not happen. A warning: it soon will not. A hint: worth a look. */
export type WarningSeverity = 'error' | 'warning' | 'hint';

/** What a text is made of: words of ours and of the system, counts, and names out of logs, which are never trusted. */
export type WarningGiven = Readonly<Record<string, string | number>>;

/** One kind of warning. Texts are sentences without a full stop; whoever shows them makes them printable. */
export type WarningKind<Given extends WarningGiven> = {
  readonly severity: WarningSeverity;
  /** What is wrong, in a few words that hold for every warning of this kind. */
  readonly title: string;
  /** What is wrong here; `subject` is which one of several, a listener, a filter or a sender, '' for the only one. */
  readonly text: (given: Given, subject: string) => string;
  /** The one thing that helps: a command to paste, or a setting. */
  readonly action: (given: Given, subject: string) => string;
  /** What it means and what to do, for docs/warnings.md: whole sentences. */
  readonly explanation: string;
  /** While a warning of one of these kinds stands, this one says nothing new and is not shown. */
  readonly dependsOn?: readonly string[];
  /** For what happens in a moment: how long it is shown after the last time; else until it is over. */
  readonly holdFor?: Microseconds;
  /** Whether the event that it comes of has a line in the log already. */
  readonly isLoggedAsEvent?: true;
};

/** Something outside that failed: what it said, and what it advises; '' for nothing. */
export type Failing = { readonly reason: string; readonly remedy: string };

/** Says the types of a kind once, where it is written down. */
export function kindOf<Given extends WarningGiven>(kind: WarningKind<Given>): WarningKind<Given> {
  return kind;
}

/** What a failure advises, or else this. */
export function remedyOr(fallback: string): (given: Failing) => string {
  return ({ remedy }) => remedy || fallback;
}

/** `1 message`, `2 messages`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
