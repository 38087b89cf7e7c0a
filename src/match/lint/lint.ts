/**
 * The linter: everything that can be said about a filter without running it on real logs. It proves that patterns take
 * linear time, that no client can choose an address and that none can have his failure ignored, runs the samples, and
 * tries forged lines.
 */
import type { Ambiguity } from '../automaton/ambiguity.ts';
import { PatternError } from '../expression/expression.ts';
import { type Filter, MAX_WEIGHT, type Rule } from '../filter.ts';
import { CompiledPattern, type Square } from '../pattern.ts';
import {
  type CompiledFilter,
  type CompiledRule,
  compileFilter,
  compileReader,
  MAX_REMEMBERING_RULES,
} from '../rule.ts';
import { cutFilter } from './cut.ts';
import { forgeFilter } from './forge.ts';
import { reachableIgnores } from './ignored.ts';
import { runSamples } from './samples.ts';

/** What a problem is about, so that the loader can say where in the file it is. */
export type ProblemPlace =
  | { readonly part: 'filter' }
  | { readonly part: 'rule'; readonly key: keyof Rule }
  /** `offset` characters into the pattern; `field` is the key of a json or access pattern, else ''. */
  | { readonly part: 'pattern'; readonly field: string; readonly offset: number }
  | { readonly part: 'sample'; readonly index: number };

export type Problem = {
  /** The rule's name, '' for the filter as a whole. */
  readonly rule: string;
  /** A filter with an error is not used. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly place: ProblemPlace;
};

export type LintOptions = {
  /**
   * For the filters that are shipped: what is only a warning in a user's own filter is an error in these. Such a
   * filter needs samples, and none of its rules may have two readings.
   */
  readonly strict: boolean;
  /** Whether to try forged lines, which takes some ten milliseconds for each rule. */
  readonly forge: boolean;
};

export type LintReport = {
  readonly problems: readonly Problem[];
  /** Samples run, and forged lines tried. */
  readonly samples: number;
  readonly forged: number;
};

/** Examines a filter. Never throws for what a filter may contain. */
export function lintFilter(filter: Filter, options: LintOptions): LintReport {
  const problems = [...lintStructure(filter, options), ...filter.rules.flatMap(lintPattern)];
  if (problems.some((problem) => problem.severity === 'error')) return { problems, samples: 0, forged: 0 };
  const compiled = compileFilter(filter);
  problems.push(
    ...compiled.rules.flatMap((rule) => [...lintReadings(rule, options), ...lintGrowth(rule, options)]),
    ...lintIgnores(compiled, options),
    ...lintSamples(compiled),
  );
  const samples = filter.rules.reduce((sum, rule) => sum + rule.samples.length, 0);
  if (!options.forge || problems.some((problem) => problem.severity === 'error'))
    return { problems, samples, forged: 0 };
  const forged = forgeFilter(compiled);
  const cut = cutFilter(compiled);
  for (const [what, { forgeries }] of [['forged', forged] as const, ['forged and cut', cut] as const]) {
    for (const { rule, sampleIndex, line, address } of forgeries) {
      const outcome = address === '' ? 'is ignored' : `gives the address ${address}`;
      const message = `a ${what} line ${outcome}: ${showText(line)}`;
      problems.push({ rule, severity: 'error', message, place: { part: 'sample', index: sampleIndex } });
    }
  }
  return { problems, samples, forged: forged.tried + cut.tried };
}

/** Writes text for a message: in double quotes, control characters as escapes, shortened. */
export function showText(text: string): string {
  const maxLength = 200;
  const shown = text.length > maxLength ? `${text.slice(0, maxLength)}...` : text;
  return JSON.stringify(shown).replace(/[\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function lintStructure(filter: Filter, options: LintOptions): Problem[] {
  const problems: Problem[] = [];
  if (filter.rules.length === 0) {
    problems.push({ rule: '', severity: 'error', message: 'has no rules', place: { part: 'filter' } });
  }
  if (filter.rules.filter((rule) => rule.remember).length > MAX_REMEMBERING_RULES) {
    const message = `more than ${MAX_REMEMBERING_RULES} rules remember`;
    problems.push({ rule: '', severity: 'error', message, place: { part: 'filter' } });
  }
  if (filter.imported === true && filter.rules.every((rule) => rule.samples.length === 0)) {
    const message =
      'was imported and has no samples: nothing shows that its rules find what they are meant to find';
    problems.push({
      rule: '',
      severity: options.strict ? 'error' : 'warning',
      message,
      place: { part: 'filter' },
    });
  }
  const names = new Set<string>();
  const remembering = new Set(filter.rules.filter((rule) => rule.remember).map((rule) => rule.name));
  for (const rule of filter.rules) {
    const report = (key: keyof Rule, message: string, severity: Problem['severity'] = 'error'): void => {
      problems.push({ rule: rule.name, severity, message, place: { part: 'rule', key } });
    };
    if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(rule.name)) {
      report('name', 'a rule is named with lower case letters, digits and -');
    }
    if (names.has(rule.name)) report('name', `another rule is named ${rule.name}`);
    names.add(rule.name);
    if (!Number.isInteger(rule.weight) || rule.weight < 1 || rule.weight > MAX_WEIGHT) {
      report('weight', `a weight is a whole number from 1 to ${MAX_WEIGHT}`);
    }
    if (rule.attempt !== null && rule.kind !== 'failure')
      report('attempt', 'only failures are parts of attempts');
    for (const name of rule.after) {
      if (!remembering.has(name)) report('after', `no rule named ${name} has remember = true`);
    }
    if (filter.imported === true && !options.strict) continue;
    for (const message of missingSamples(rule)) {
      report('samples', message, options.strict ? 'error' : 'warning');
    }
  }
  return problems;
}

function missingSamples(rule: Rule): string[] {
  const missing: string[] = [];
  if (!rule.samples.some((sample) => sample.expect !== null)) missing.push('has no sample that it matches');
  if (!rule.samples.some((sample) => sample.expect === null))
    missing.push('has no sample that it must not match');
  return missing;
}

/** Whether the rule compiles and can be of any use. */
function lintPattern(rule: Rule, _index: number, rules: readonly Rule[]): Problem[] {
  try {
    const reader = compileReader(rule);
    const isRecalling = rules.some((other) => other.remember);
    if (rule.kind !== 'failure' || reader.hasAddress || isRecalling) return [];
    const message = 'names no address, and no rule of the filter remembers one';
    return [{ rule: rule.name, severity: 'error', message, place: { part: 'rule', key: 'pattern' } }];
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const { message, offset, field } = error;
    return [{ rule: rule.name, severity: 'error', message, place: { part: 'pattern', field, offset } }];
  }
}

/** Whether every message has one reading at most. */
function lintReadings({ rule, reader }: CompiledRule, options: LintOptions): Problem[] {
  return reader.parts('').flatMap(({ field, pattern }) => {
    if (!(pattern instanceof CompiledPattern) || pattern.ambiguity === null) return [];
    return [
      {
        rule: rule.name,
        severity: options.strict ? 'error' : 'warning',
        message: describeAmbiguity(pattern.ambiguity),
        place: { part: 'pattern', field, offset: pattern.addressOffset },
      } as const,
    ];
  });
}

function describeAmbiguity(ambiguity: Ambiguity | 'unknown'): string {
  if (ambiguity === 'unknown') return 'is too large to prove that a client cannot choose the address';
  const [first, second] = ambiguity.addresses.map((address) => (address === '' ? 'none' : showText(address)));
  return (
    `what a client writes can pass for what follows it: in ${showText(ambiguity.text)} the address may be ${first} ` +
    `or ${second}; lines with two readings are not matched`
  );
}

/** Whether no message takes time that grows with its square, unless none is believed that is long. */
function lintGrowth({ rule, reader }: CompiledRule, options: LintOptions): Problem[] {
  return reader.parts('').flatMap(({ field, pattern }) => {
    if (!(pattern instanceof CompiledPattern) || (field === '' && Number.isFinite(pattern.maxWholeLine)))
      return [];
    const { square } = pattern;
    if (square === null) return [];
    const offset = square === 'unknown' ? 0 : square.offset;
    return [
      {
        rule: rule.name,
        severity: options.strict ? 'error' : 'warning',
        message: describeSquare(square),
        place: { part: 'pattern', field, offset },
      } as const,
    ];
  });
}

function describeSquare(square: Square | 'unknown'): string {
  const remedy = 'messages of more than 512 characters are read by a slower engine';
  if (square === 'unknown')
    return `is too large to prove that it takes time linear in the message; ${remedy}`;
  return (
    `takes time that grows with the square of the message, as this part can begin at every repetition of what ` +
    `stands before it: ${showText(square.text)}. Leave a character of that out of the text before, as <any!,> does, ` +
    `or end the pattern with <any>; until then ${remedy}`
  );
}

/** Whether no client can have his failure ignored. */
function lintIgnores(compiled: CompiledFilter, options: LintOptions): Problem[] {
  return reachableIgnores(compiled).map(({ ignore, failure, proof }) => ({
    rule: ignore,
    severity: options.strict ? 'error' : 'warning',
    message:
      proof === 'unknown'
        ? `is not proved to be out of reach of clients whose failures ${failure} finds`
        : `can be made to ignore a failure that ${failure} finds, by what its client writes: ` +
          `${showText(proof.ignored)} is ignored, and ${showText(proof.counted)} is not`,
    place: { part: 'rule', key: 'kind' },
  }));
}

function lintSamples(compiled: CompiledFilter): Problem[] {
  return runSamples(compiled).map(({ rule, sampleIndex, message }) => ({
    rule,
    severity: 'error',
    message: `the sample ${message}`,
    place: { part: 'sample', index: sampleIndex },
  }));
}
