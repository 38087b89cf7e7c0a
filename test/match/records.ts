/** Records and filters for tests, of which only what matters has to be said. */
import type { LogRecord } from '../../src/core/record.ts';
import { SECOND } from '../../src/core/time.ts';
import type { FieldTest, Filter, FilterInput, Rule } from '../../src/match/filter.ts';
import { compileReader, type Reader } from '../../src/match/rule.ts';

/** A record; `at` is in seconds. */
export function recordOf(parts: Partial<LogRecord> & { readonly message: string }): LogRecord {
  return {
    source: parts.trusted ? 'journal' : 'udp',
    sender: '',
    hostname: '',
    identifier: 'sshd',
    pid: '',
    facility: -1,
    severity: -1,
    timestamp: -1,
    structuredData: '',
    connection: 0,
    trusted: null,
    ...parts,
    at: (parts.at ?? 0) * SECOND,
  };
}

/** A rule from a template, or from any pattern; a failure in mode normal unless said otherwise. */
export function ruleOf(pattern: string | Rule['pattern'], parts: Partial<Rule> = {}): Rule {
  return {
    name: 'rule',
    kind: 'failure',
    mode: 'normal',
    weight: 1,
    labels: [],
    pattern: typeof pattern === 'string' ? { form: 'template', text: pattern } : pattern,
    attempt: null,
    remember: false,
    after: [],
    samples: [],
    ...parts,
  };
}

/** A filter that reads the identifier `sshd`, and no journal entry. */
export function filterOf(rules: readonly Rule[], input: Partial<FilterInput> = {}, name = 'test'): Filter {
  const journal = { uids: [], units: [], executables: [] };
  return { name, description: '', input: { identifiers: ['sshd'], journal, ...input }, rules };
}

type Test = string | readonly (string | number | boolean)[];

/** A reader whose fields are tested by templates (text) or values (arrays); a `?` at the end makes one optional. */
export function readerOf(form: 'json' | 'access', tests: Readonly<Record<string, Test>>): Reader {
  const fields = Object.entries(tests).map(([key, test]): FieldTest => {
    const optional = key.endsWith('?');
    const field = optional ? key.slice(0, -1) : key;
    if (typeof test === 'string') return { field, optional, pattern: { form: 'template', text: test } };
    return { field, optional, pattern: { form: 'values', values: test } };
  });
  return compileReader(ruleOf({ form, fields }));
}
