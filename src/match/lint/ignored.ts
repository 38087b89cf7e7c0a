/**
 * Rules of kind `ignore`, which are tried before those of failures. None of them may be within a client's reach: what he
 * writes into the line of his failure must not decide whether it is ignored.
 */
import type { AccessField } from '../access.ts';
import type { Interference } from '../automaton/interference.ts';
import { CompiledPattern } from '../pattern.ts';
import type { CompiledFilter, CompiledRule, ReaderPart } from '../rule.ts';

/** An ignore rule, and a rule whose failures a client can make it take, or may be able to. */
export type Reach = {
  readonly ignore: string;
  readonly failure: string;
  readonly proof: Interference | 'unknown';
};

/** What is not proved of the filter's ignore rules. */
export function reachableIgnores({ rules }: CompiledFilter): Reach[] {
  const ignores = rules.filter(({ rule }) => rule.kind === 'ignore');
  const failures = rules.filter(({ rule }) => rule.kind === 'failure');
  return ignores.flatMap((ignore) =>
    failures.flatMap((failure) => {
      // Rules of narrower modes are tried before it.
      const proof = failure.rank < ignore.rank ? null : reachOf(ignore, failure);
      return proof === null ? [] : [{ ignore: ignore.rule.name, failure: failure.rule.name, proof }];
    }),
  );
}

function reachOf(ignore: CompiledRule, failure: CompiledRule): Interference | null | 'unknown' {
  const [own, other] = [ignore.reader.parts(''), failure.reader.parts('')];
  const [text, failed] = [own[0]?.pattern, other[0]?.pattern];
  const forms = [ignore.rule.pattern.form, failure.rule.pattern.form].map((form) =>
    form === 'template' || form === 'regex' ? 'text' : form,
  );
  if (forms[0] !== forms[1]) return areApart(ignore, failure) ? null : 'unknown';
  if (forms[0] === 'text' && text instanceof CompiledPattern && failed instanceof CompiledPattern)
    return text.interferenceWith(failed);
  return own.some((part) => isOutOfReach(part, forms[0] === 'access', other)) ? null : 'unknown';
}

/** Whether no message is one of both rules, of which one reads text and the other fields. */
function areApart(ignore: CompiledRule, failure: CompiledRule): boolean {
  const forms = [ignore.rule.pattern.form, failure.rule.pattern.form];
  // STRUCTURED-DATA is nobody's message.
  if (forms.includes('structured_data')) return true;
  const text = forms[0] === 'json' || forms[0] === 'access' ? failure : ignore;
  if (forms.includes('json')) {
    return text.reader.prefixes.every((prefix) => prefix !== '' && !/^(?:\{|@)/.test(prefix));
  }
  return !text.reader.mayReadAccess();
}

/** Of an access log, what the server writes itself. */
const OF_THE_SERVER: ReadonlySet<string> = new Set<AccessField>(['host', 'client', 'status', 'bytes']);

/** Whether what the field must be for the line to be ignored is something that no failure has in it. */
function isOutOfReach(part: ReaderPart, isAccess: boolean, failure: readonly ReaderPart[]): boolean {
  if (isAccess && OF_THE_SERVER.has(part.field)) return true;
  return failure.some(({ field, pattern }) => field === part.field && areDistinct(pattern, part.pattern));
}

function areDistinct(left: ReaderPart['pattern'], right: ReaderPart['pattern']): boolean {
  if (left instanceof CompiledPattern)
    return right instanceof CompiledPattern ? !left.overlaps(right) : areDistinct(right, left);
  const values = [...left];
  if (right instanceof CompiledPattern) return !values.some((value) => right.hasShape(value));
  return !values.some((value) => right.has(value));
}
