/** The name under which the sessions of a filter are kept: it changes with the rules, by which their numbers count. */
import type { Filter } from './filter.ts';

const names = new WeakMap<Filter, string>();

/** The filter's name and a digest of its rules, their samples left out. */
export function sessionsName(filter: Filter): string {
  let name = names.get(filter);
  if (name === undefined) {
    const rules = filter.rules.map(({ samples, ...rule }) => rule);
    name = `${filter.name} ${digest(JSON.stringify(rules))}`;
    names.set(filter, name);
  }
  return name;
}

/** FNV-1a (draft-eastlake-fnv) of 32 bits, over the text from both ends: it tells rules apart that nobody forges. */
function digest(text: string): string {
  let forward = 0x811c9dc5;
  let backward = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    forward = Math.imul(forward ^ text.charCodeAt(index), 0x01000193);
    backward = Math.imul(backward ^ text.charCodeAt(text.length - 1 - index), 0x01000193);
  }
  return [forward, backward].map((part) => (part >>> 0).toString(16).padStart(8, '0')).join('');
}
