/** `bailiff match`: what the filters find in a file, on standard input or in the journal. */
import { InvalidArgumentError, Option } from 'commander';
import { type AddCommand, configOption, EXIT, examples, helpSection } from '../../command.ts';
import { filterOption, LINE_FORMS } from '../../filter-tools/filter-tool-options.ts';
import type { MatchOptions } from '../../filter-tools/match-run.ts';
import { parseWhen } from '../../render/when.ts';

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
    const { runMatch } = await import('../../filter-tools/match-run.ts');
    end((await runMatch(path, options, terminal)) ? EXIT.done : EXIT.no);
  });
};

export function modeOption(): Option {
  return new Option('--mode <MODE>', 'which rules count')
    .choices(['normal', 'extra', 'aggressive'])
    .default('normal');
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
