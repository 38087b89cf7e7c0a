/**
 * Everything that can be wrong, once. The status, `doctor`, the metrics, the service manager and the alert show what
 * of it stands; none of them has a condition of its own. docs/warnings.md is made from it.
 */

import type { WarningGiven, WarningKind, WarningSeverity } from './entry.ts';
import { FINDINGS } from './findings.ts';
import { INTAKE_WARNINGS } from './intake.ts';
import { LIMIT_WARNINGS } from './limits.ts';
import { UPKEEP_WARNINGS } from './upkeep.ts';

export const WARNINGS = { ...UPKEEP_WARNINGS, ...INTAKE_WARNINGS, ...LIMIT_WARNINGS, ...FINDINGS };

export type WarningCode = keyof typeof WARNINGS;

type GivenOf<Code extends WarningCode> =
  (typeof WARNINGS)[Code] extends WarningKind<infer Given> ? Given : never;

/** Something that is wrong, as whoever finds it says it: its kind, which one of several, what its text is made of. */
export type RaisedWarning = {
  readonly code: WarningCode;
  readonly subject: string;
  readonly given: WarningGiven;
};

/** Worst first. */
export const SEVERITIES: readonly WarningSeverity[] = ['error', 'warning', 'hint'];

/** Says that something is wrong; the type checker asks for what its text is made of. */
export function raise<Code extends WarningCode>(
  code: Code,
  given: GivenOf<Code>,
  subject = '',
): RaisedWarning {
  return { code, subject, given };
}

/** The kind of a warning, without the types of what its texts are made of: `raise` has seen to those. */
export function kindOfWarning(code: WarningCode): WarningKind<WarningGiven> {
  return WARNINGS[code] as unknown as WarningKind<WarningGiven>;
}

export function codesOfWarnings(): readonly WarningCode[] {
  return Object.keys(WARNINGS) as WarningCode[];
}

/** Where a kind is explained, in the documentation. */
export function pageOf(code: WarningCode): string {
  return `docs/warnings.md#${code}`;
}
