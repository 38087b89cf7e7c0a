/** `bailiff doctor`: looks for whatever keeps bans from working, and says what to do about it. */
import { Option } from 'commander';
import { printable } from '../../../core/text/printable.ts';
import {
  type AddCommand,
  type ConfigOptions,
  configOption,
  EXIT,
  examples,
  type JsonOptions,
  jsonOption,
  printJson,
  type SocketOptions,
  socketOption,
} from '../../command.ts';
import type { Verdict } from '../../doctor/check.ts';
import { countOf, wrapText } from '../../render/table.ts';
import type { Paint, Terminal } from '../../render/terminal.ts';

type DoctorOptions = SocketOptions & ConfigOptions & JsonOptions & { readonly proveBan?: string };

export const addDoctor: AddCommand = (program, { terminal, end }) => {
  program
    .command('doctor')
    .summary('find what keeps bans from working')
    .description(
      'Makes every check that there is, also without a daemon, and says what to do: what the daemon knows to be wrong, whether this kernel keeps a banned address out (tried in a network that is gone afterwards), what carries packets past the bans, what the journal says that no filter believes or finds, sshd, fail2ban, taken ports, and clocks of senders. Exit status 1 when there is an error.',
    )
    .addOption(configOption())
    .addOption(jsonOption())
    .addOption(socketOption())
    .addOption(new Option('--prove-ban <PID>', 'the part of the proof inside its network').hideHelp())
    .addHelpText(
      'after',
      examples([
        ['bailiff doctor', 'all checks, worst first; best as root'],
        ['bailiff doctor --json | jq .verdicts', 'for programs'],
      ]),
    )
    .action(async ({ proveBan, ...options }: DoctorOptions) => {
      if (proveBan !== undefined) {
        const { proveInside } = await import('../../doctor/ban-proof-inside.ts');
        terminal.print(JSON.stringify(await proveInside(proveBan)));
        end(EXIT.done);
        return;
      }
      const { examine } = await import('../../doctor/examine.ts');
      const verdicts = await examine(options, terminal);
      if (options.json) printJson(terminal, { verdicts });
      else terminal.print(renderVerdicts(verdicts, terminal));
      end(verdicts.some(({ verdict }) => verdict === 'error') ? EXIT.no : EXIT.done);
    });
};

const LABEL_WIDTH = 'WARNING'.length;

/** One paragraph for each: what was looked at, what was found, what helps. */
export function renderVerdicts(verdicts: readonly Verdict[], { style, columns }: Terminal): string {
  const paints: Readonly<Record<Verdict['verdict'], Paint>> = {
    error: style.red,
    warning: style.yellow,
    hint: style.bold,
    ok: style.green,
    skipped: style.dim,
  };
  const nameWidth = Math.max(...verdicts.map(({ check }) => check.length));
  const indent = ' '.repeat(LABEL_WIDTH + nameWidth + 4);
  const width = columns - indent.length;
  const lines = verdicts.flatMap(({ check, verdict, text, action }) => {
    const isTrouble = verdict !== 'ok' && verdict !== 'skipped';
    const label = (isTrouble ? verdict.toUpperCase() : verdict).padEnd(LABEL_WIDTH);
    const [first = '', ...rest] = wrapText(printable(text), width);
    const remedy = action === '' ? [] : wrapText(printable(`-> ${action}`), width);
    return [
      `${paints[verdict](label)}  ${check.padEnd(nameWidth)}  ${first}`,
      ...rest.map((line) => `${indent}${line}`),
      ...remedy.map((line) => `${indent}${style.bold(line)}`),
    ];
  });
  return [...lines, '', summaryOf(verdicts)].join('\n');
}

function summaryOf(verdicts: readonly Verdict[]): string {
  const count = (wanted: Verdict['verdict']): number =>
    verdicts.filter(({ verdict }) => verdict === wanted).length;
  const troubles = [
    countOf(count('error'), 'error'),
    countOf(count('warning'), 'warning'),
    countOf(count('hint'), 'hint'),
  ];
  return `${troubles.join(', ')}, ${count('ok')} well, ${count('skipped')} skipped`;
}
