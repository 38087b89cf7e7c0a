/**
 * From the rules that single expressions give to the rules of a filter: names, sessions, and the limits of a filter.
 */
import { MAX_RULES } from '../../config/filters/keys.ts';
import type { RuleKind } from '../../core/failure.ts';
import { MAX_REMEMBERING_RULES } from '../../match/rule.ts';
import type { FilePlace } from './ini.ts';
import type { Remarks } from './remark.ts';

/** A rule to be. */
export type Draft = {
  readonly kind: RuleKind;
  readonly regex: string;
  readonly place: FilePlace;
  /** The number of its expression, from 1, and in which form it reads a line. */
  readonly index: number;
  readonly form: 'message' | 'line';
  /** Marks that a match leaves in the session, and marks that it asks for. */
  readonly leaves: string | null;
  readonly asks: string | null;
  readonly isEnd: boolean;
};

export type ImportedRule = {
  readonly name: string;
  readonly kind: RuleKind;
  readonly remember: boolean;
  /** Names of rules, as Rule.after. */
  readonly after: readonly string[];
  /** Whether it ends an attempt, as Rule.attempt. */
  readonly isEnd: boolean;
  readonly regex: string;
  readonly place: FilePlace;
};

/** The mark of a failure whose address is still to come. */
const PENDING = 'pending';

/** Names the rules and puts them into the order of trying. */
export function finishRules(
  drafts: readonly Draft[],
  hasSessions: boolean,
  remarks: Remarks,
): ImportedRule[] {
  const all = hasSessions ? withPending(drafts) : drafts;
  const seen = new Set<string>();
  const distinct = all.filter((draft) => {
    const key = JSON.stringify([draft.kind, draft.regex, draft.leaves, draft.asks]);
    return !seen.has(key) && seen.add(key);
  });
  const [excess] = distinct.slice(MAX_RULES);
  if (excess !== undefined) {
    remarks.refused(excess.place, `more than ${MAX_RULES} rules; from here on they are left out`);
  }
  return nameRules(distinct.slice(0, MAX_RULES), hasSessions);
}

/**
 * A failure without an address counts when a later line of its session names one. Here that line is tried first as a
 * failure which asks for the mark that the earlier one has left.
 */
function withPending(drafts: readonly Draft[]): Draft[] {
  const isPending = (draft: Draft): boolean =>
    draft.kind === 'failure' && !hasAddress(draft) && draft.asks === null;
  if (!drafts.some(isPending)) return [...drafts];
  return drafts.flatMap((draft): Draft[] => {
    if (isPending(draft)) return [draft, { ...draft, kind: 'note', leaves: PENDING }];
    const isLate = draft.kind === 'note' && hasAddress(draft) && draft.leaves === null;
    return isLate ? [{ ...draft, kind: 'failure', asks: PENDING, isEnd: true }, draft] : [draft];
  });
}

function hasAddress({ regex }: Draft): boolean {
  return regex.includes('(?<address>');
}

function nameRules(drafts: readonly Draft[], hasSessions: boolean): ImportedRule[] {
  const counts = new Map<string, number>();
  const named = drafts.map((draft) => {
    const stem = nameOf(draft);
    const count = (counts.get(stem) ?? 0) + 1;
    counts.set(stem, count);
    return { draft, name: count === 1 ? stem : `${stem}-${count}` };
  });
  const remembering = chooseRemembering(drafts, hasSessions);
  return named.map(({ draft, name }) => ({
    name,
    kind: draft.kind,
    remember: remembering.has(draft),
    after: named.flatMap((other) =>
      draft.asks !== null && other.draft.leaves === draft.asks && remembering.has(other.draft)
        ? [other.name]
        : [],
    ),
    isEnd: draft.isEnd,
    regex: draft.regex,
    place: draft.place,
  }));
}

function nameOf({ kind, index, form, leaves, asks }: Draft): string {
  const word =
    leaves === PENDING ? 'pending' : asks === PENDING ? 'late' : kind === 'failure' ? 'fail' : kind;
  return `${word}-${index}${form === 'line' ? '-line' : ''}`;
}

/** First those whose marks are asked for, then notes with an address, then whatever else names one. */
function chooseRemembering(drafts: readonly Draft[], hasSessions: boolean): ReadonlySet<Draft> {
  const rank = (draft: Draft): number => (draft.leaves !== null ? 0 : draft.kind === 'note' ? 1 : 2);
  const useful = drafts.filter(
    (draft) => draft.leaves !== null || (hasSessions && draft.kind !== 'ignore' && hasAddress(draft)),
  );
  const ordered = useful.toSorted((one, other) => rank(one) - rank(other));
  return new Set(ordered.slice(0, MAX_REMEMBERING_RULES));
}
