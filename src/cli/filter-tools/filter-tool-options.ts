/** What the commands that try filters on lines have in common. Light, since every help loads it. */
import { Option } from 'commander';

/** `syslog`: as syslogd writes or sends it. `message`: nothing but the message. `jsonl`: one JSON object a line. */
export const LINE_FORMS = ['syslog', 'message', 'jsonl'] as const;
export type LineForm = (typeof LINE_FORMS)[number];

/** `--filter NAME`, as often as wanted. */
export function filterOption(): Option {
  return new Option(
    '--filter <NAME>',
    'only this filter, by name or by file; may be repeated (default: all)',
  ).argParser((name: string, before: readonly string[] | undefined) => [...(before ?? []), name]);
}
