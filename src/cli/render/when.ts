/** Times as people write them on the command line. */
import { MILLISECOND, type Microseconds, parseDuration } from '../../core/time.ts';

/**
 * The time that is meant: so long ago, or a date with or without a time of day, in local time unless it has an
 * offset of its own. Null for what is neither.
 */
export function parseWhen(text: string, now: Microseconds): Microseconds | null {
  const ago = /^\d+$/.test(text) ? null : parseDuration(text);
  if (ago !== null) return ago <= now ? now - ago : null;
  const parts = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(text);
  if (parts === null) return null;
  const milliseconds = Date.parse(`${parts[1]}T${parts[2] ?? '00:00'}${parts[3] ?? ''}`);
  return Number.isNaN(milliseconds) ? null : milliseconds * MILLISECOND;
}
