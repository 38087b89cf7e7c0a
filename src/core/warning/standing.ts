/**
 * The list of what is wrong, as a deterministic machine: it takes what is said of warnings and components, with
 * the time, and answers what has begun and ended. Bounded: of one kind so many are kept, the others counted.
 */
import type { ComponentName } from '../component.ts';
import type { Microseconds } from '../time.ts';
import { kindOfWarning, pageOf, type RaisedWarning, SEVERITIES, type WarningCode } from './catalogue.ts';
import type { WarningSeverity } from './entry.ts';

/** Warnings of one kind that are kept, each with its subject; sender names and listeners are many. */
export const MAX_SUBJECTS = 32;

/** Something that is wrong, for whoever shows it. Texts may hold what others have written: make them printable. */
export type Warning = {
  readonly code: WarningCode;
  /** Which one of several; '' for the only one. */
  readonly subject: string;
  readonly severity: WarningSeverity;
  readonly title: string;
  readonly text: string;
  /** The one thing that helps. */
  readonly action: string;
  /** Where its kind is explained. */
  readonly page: string;
  readonly since: Microseconds;
  /** Others of its kind that are not kept. */
  readonly more: number;
};

/** What a call has changed, for whoever tells people. */
export type WarningTurns = { readonly began: readonly Warning[]; readonly ended: readonly Warning[] };

type Standing = {
  readonly warning: Warning;
  /** The component that said so, and says when it is over; null for anybody else. */
  readonly owner: ComponentName | null;
  /** When it is over unless it is said again; null when somebody will say. */
  readonly until: Microseconds | null;
};

export class StandingWarnings {
  readonly #byCode = new Map<WarningCode, Map<string, Standing>>();
  readonly #more = new Map<WarningCode, number>();

  /** Something is wrong, from now on or still. */
  raise(raised: RaisedWarning, at: Microseconds, owner: ComponentName | null = null): WarningTurns {
    const { code, subject } = raised;
    const ofCode = this.#byCode.get(code) ?? new Map<string, Standing>();
    this.#byCode.set(code, ofCode);
    const known = ofCode.get(subject);
    if (known === undefined && ofCode.size >= MAX_SUBJECTS) {
      this.#more.set(code, (this.#more.get(code) ?? 0) + 1);
      return NOTHING;
    }
    const { holdFor } = kindOfWarning(code);
    const warning = warningOf(raised, known?.warning.since ?? at);
    ofCode.set(subject, { warning, owner, until: holdFor === undefined ? null : at + holdFor });
    return known === undefined ? { began: [warning], ended: [] } : NOTHING;
  }

  /** It is over; nothing happens when it was not wrong. */
  clear(code: WarningCode, subject: string): WarningTurns {
    const ofCode = this.#byCode.get(code);
    const known = ofCode?.get(subject);
    if (ofCode === undefined || known === undefined) {
      const more = this.#more.get(code) ?? 0;
      if (more > 0) this.#more.set(code, more - 1);
      return NOTHING;
    }
    ofCode.delete(subject);
    if (ofCode.size === 0) {
      this.#byCode.delete(code);
      this.#more.delete(code);
    }
    return { began: [], ended: [known.warning] };
  }

  /** All that is wrong with a component: what it said before and does not say any more is over. */
  replace(owner: ComponentName, raised: readonly RaisedWarning[], at: Microseconds): WarningTurns {
    const still = new Set(raised.map(({ code, subject }) => `${code} ${subject}`));
    const gone = [...this.#all()].filter(
      (one) => one.owner === owner && !still.has(`${one.warning.code} ${one.warning.subject}`),
    );
    return joined([
      ...gone.map(({ warning }) => this.clear(warning.code, warning.subject)),
      ...raised.map((one) => this.raise(one, at, owner)),
    ]);
  }

  /** Ends what was held for a while and has not happened again. */
  expire(at: Microseconds): WarningTurns {
    const over = [...this.#all()].filter(({ until }) => until !== null && until <= at);
    return joined(over.map(({ warning }) => this.clear(warning.code, warning.subject)));
  }

  /** What stands, worst first, then the oldest; without what another one already says. */
  list(): readonly Warning[] {
    return [...this.#all()]
      .map(({ warning }) => ({ ...warning, more: this.#more.get(warning.code) ?? 0 }))
      .filter(
        ({ code }) => !kindOfWarning(code).dependsOn?.some((other) => this.#byCode.has(other as WarningCode)),
      )
      .sort(
        (one, other) =>
          SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity) ||
          one.since - other.since ||
          (`${one.code} ${one.subject}` < `${other.code} ${other.subject}` ? -1 : 1),
      );
  }

  *#all(): Generator<Standing> {
    for (const ofCode of this.#byCode.values()) yield* ofCode.values();
  }
}

const NOTHING: WarningTurns = { began: [], ended: [] };

/** The warning that somebody raises, as it is shown from `since` on. */
export function warningOf({ code, subject, given }: RaisedWarning, since: Microseconds): Warning {
  const { severity, title, text, action } = kindOfWarning(code);
  return {
    code,
    subject,
    severity,
    title,
    text: text(given, subject),
    action: action(given, subject),
    page: pageOf(code),
    since,
    more: 0,
  };
}

function joined(turns: readonly WarningTurns[]): WarningTurns {
  return { began: turns.flatMap(({ began }) => began), ended: turns.flatMap(({ ended }) => ended) };
}
