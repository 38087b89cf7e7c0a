/** What warnings say, as one text, for tests. */
import type { RaisedWarning } from '../../../src/core/warning/catalogue.ts';
import { warningOf } from '../../../src/core/warning/standing.ts';

type Speaker = { readonly detail: string; readonly warnings: readonly RaisedWarning[] };

/** What a component says of itself: where it works, then what is wrong, with `; ` between. */
export function wordsOf({ detail, warnings }: Speaker = { detail: '', warnings: [] }): string {
  const texts = warnings.map((raised) => warningOf(raised, 0).text);
  return [detail, ...texts].filter((text) => text !== '').join('; ');
}

/** What it advises. */
export function actionsOf({ warnings }: Pick<Speaker, 'warnings'> = { warnings: [] }): string {
  return warnings.map((raised) => warningOf(raised, 0).action).join('; ');
}
