/** `bailiff match`: what the filters find in a file, on standard input or in the journal. */
import { InvalidArgumentError, Option } from 'commander';
import type { RuleMode } from '../core/failure.ts';
import { MILLISECOND, type Microseconds, parseDuration } from '../core/time.ts';
import { type AddCommand, configOption, EXIT, examples, helpSection } from './command.ts';
import { type FilterOptions, filterOption } from './filter-choice.ts';
import { LINE_FORMS, type LineForm } from './line-record.ts';

export type MatchOptions = FilterOptions & {
  readonly as: LineForm;
  readonly mode: RuleMode;
  /** True for this machine's journal, a directory of journal files otherwise. */
  readonly journal?: true | string;
  readonly since?: string;
  readonly json?: true;
  readonly text?: true;
  readonly summary?: true;
};

export const addMatch: AddCommand = (program, { terminal, end }) => {
  const command = program
    .command('match')
    .summary('try the filters on a file or the journal')
    .description(
      'Reads log lines, also packed ones (.gz, .xz, .zst), and prints what the filters find in them: text on a terminal, else one JSON object for each match. Bans nobody. Exit status 1 when nothing matches.',
    )
    .argument('[FILE]', 'what to read; - is standard input', '-')
    .addOption(filterOption())
    .addOption(new Option('--as <FORM>', 'what a line is').choices(LINE_FORMS).default('syslog'))
    .addOption(modeOption())
    .option('--journal [DIR]', "read this machine's journal, or the journal files of a directory")
    .option(
      '--since <WHEN>',
      'of the journal, only what is newer: 2h, 7d, 2026-11-20, "2026-11-20 08:00"',
      readWhen,
    )
    .addOption(new Option('--json', 'print JSON, also on a terminal').conflicts(['text', 'summary']))
    .option('--text', 'print text, also into a file or pipe')
    .option('--summary', 'print the summary only')
    .addOption(configOption())
    .addHelpText('after', matchNotes);
  command.action(async (path: string, options: MatchOptions) => {
    if (options.journal !== undefined && path !== '-') {
      command.error('error: name a file or --journal, not both');
    }
    if (options.since !== undefined && options.journal === undefined) {
      command.error('error: --since is for --journal only');
    }
    const { runMatch } = await import('./match-run.ts');
    end((await runMatch(path, options, terminal)) ? EXIT.done : EXIT.no);
  });
};

export function modeOption(): Option {
  return new Option('--mode <MODE>', 'which rules count')
    .choices(['normal', 'extra', 'aggressive'])
    .default('normal');
}

/**
 * The time that `--since` means: that long ago, or a date with or without a time of day, in local time unless it has an
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

function readWhen(text: string): string {
  if (parseWhen(text, Number.MAX_SAFE_INTEGER) !== null) return text;
  throw new InvalidArgumentError('Write it as 2h, 7d, 2026-11-20 or "2026-11-20 08:00".');
}

function matchNotes(): string {
  return [
    helpSection('Forms', [
      ['syslog', 'as syslogd writes or sends it; its identifier chooses the filters'],
      ['message', 'the bare message, as services write it into files of their own'],
      ['jsonl', '{"message": "...", "identifier": "sshd", "pid": 123, "id": 1}'],
      ['', 'and "sender" and "unit", all but the message optional'],
    ]),
    '\nA record without an identifier is tried with every filter.',
    helpSection('JSON', [
      ['address', 'whom a jail would count; null when the match is no failure'],
      ['kind', 'failure, success, ignore or note; counted already is a note'],
      ['fields', 'every named part of the line, of a success the address too'],
    ]),
    examples([
      ['bailiff match /var/log/auth.log', 'every filter'],
      ['bailiff match --filter sshd auth.log.2.gz', 'one filter'],
      ['bailiff match --filter ./new.toml --as message app.log', 'a new filter'],
      ['bailiff match --journal --since 2h --summary', 'the journal'],
    ]),
  ].join('\n');
}
