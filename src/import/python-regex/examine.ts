/** What our linter says about filters that were imported: fail2ban's own were never asked. */
import type { Filter, Rule } from '../../match/filter.ts';
import { lintFilter } from '../../match/lint/lint.ts';
import type { ImportedRule } from '../fail2ban/drafts.ts';
import type { ImportedFilter } from '../fail2ban/filter.ts';
import { type Remark, Remarks } from '../fail2ban/remark.ts';

/**
 * Remarks on rules of which lines can have two readings: fail2ban takes one of the two, we none. Takes some
 * milliseconds for each rule.
 */
export function examineFilter(imported: ImportedFilter): readonly Remark[] {
  const remarks = new Remarks(`filter ${imported.name}`);
  const places = new Map(imported.rules.map(({ name, place }) => [name, place]));
  for (const { rule, message, severity } of lintFilter(asFilter(imported), { strict: false, forge: false })
    .problems) {
    const place = places.get(rule);
    if (place === undefined) continue;
    if (severity === 'error') remarks.refused(place, `rule ${rule}: ${message}`);
    else remarks.changed(place, `rule ${rule}: ${message}`);
  }
  return remarks.list;
}

/** The filter as it will be loaded. */
export function asFilter({ name, source, input, rules }: ImportedFilter): Filter {
  return { name, description: source, input, imported: true, rules: rules.map(asRule) };
}

function asRule({ name, kind, remember, after, isEnd, regex }: ImportedRule): Rule {
  return {
    name,
    kind,
    mode: 'normal',
    weight: 1,
    labels: [],
    pattern: { form: 'regex', text: regex },
    attempt: isEnd ? 'end' : null,
    remember,
    after,
    samples: [],
  };
}
