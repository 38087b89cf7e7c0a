/**
 * Which filters of a directory have passed the linter when the package was built: a list beside them, in the form of
 * sha256sum(1). The daemon takes those that have not changed since at their word; the proofs for `sshd` alone are a
 * third of its start.
 */
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { readSource } from '../document/files.ts';

/** The list's name in the directory of the filters. */
export const CHECKED_FILTERS_FILE = 'SHA256SUMS';

/** The lines of the list of `directory`, each as checkedLine makes it; none where there is no list. */
export function readCheckedFilters(directory: string): ReadonlySet<string> {
  const source = readSource(join(directory, CHECKED_FILTERS_FILE));
  return new Set('message' in source ? [] : source.text.split('\n'));
}

/** How the list names a filter's file of this text. */
export function checkedLine(name: string, text: string): string {
  return `${hash('sha256', text)}  ${name}.toml`;
}
