/** `bailiff jails`: which jails there are, and switching them on and off. */
import type { Command } from 'commander';
import { formatProblem } from '../../../config/document/problem.ts';
import type { LoadedConfig } from '../../../config/load.ts';
import { printable } from '../../../core/text/printable.ts';
import { formatDuration } from '../../../core/time.ts';
import {
  type AddCommand,
  type ConfigOptions,
  configOption,
  configPathOf,
  EXIT,
  examples,
  type JsonOptions,
  jsonOption,
  printJson,
  type Session,
  socketOption,
} from '../../command.ts';
import { type SwitchOptions, switchJail } from '../../jails/switch.ts';
import { describePolicy } from '../../render/policy.ts';
import { countOf, type Row, renderTable } from '../../render/table.ts';
import type { Terminal } from '../../render/terminal.ts';

/** A jail as `--json` prints it. */
export type JailOverview = {
  readonly name: string;
  /** `refused` is one that is on and cannot work; `bailiff check` says why. */
  readonly state: 'on' | 'off' | 'refused';
  readonly filters: readonly string[];
  /** What its filters read. */
  readonly description: string;
  readonly maxRetry: number;
  /** Durations as people write them, `10m`. */
  readonly findTime: string;
  readonly banTime: string;
};

type ListOptions = ConfigOptions & JsonOptions & { readonly all?: true };

export const addJails: AddCommand = (program, session) => {
  const { terminal, end } = session;
  const jails = program
    .command('jails')
    .summary('list the jails there are, switch them on and off')
    .description(
      'Lists the jails of the configuration, what each bans for and what it reads; with --all those too that come along and are off. Needs no daemon.',
    )
    .option('--all', 'those that are off, too')
    .addOption(jsonOption())
    .addOption(configOption())
    .addHelpText(
      'after',
      examples([
        ['bailiff jails', 'those that are on'],
        ['bailiff jails --all | grep -i mail', 'look for one'],
        ['bailiff jails enable postfix', 'switch it on'],
        ['bailiff jails disable postfix', 'switch it off'],
      ]),
    )
    .action(async (options: ListOptions) => {
      const { loadConfig } = await import('../../../config/load.ts');
      const { userId: uid, environment: env } = terminal;
      const loaded = loadConfig({ configPath: configPathOf(options, terminal), uid, env });
      const overview = overviewOf(loaded);
      const shown = overview.filter(({ state }) => options.all || state !== 'off');
      const isUsable = loaded.plan !== null;
      if (!isUsable) for (const problem of loaded.problems) terminal.complain(formatProblem(problem));
      if (options.json) printJson(terminal, { jails: shown });
      else if (isUsable || shown.length > 0)
        terminal.print(renderJails(shown, overview.length - shown.length, terminal));
      end(isUsable ? EXIT.done : EXIT.configuration);
    });
  addSwitch(jails, session, 'enable');
  addSwitch(jails, session, 'disable');
};

function addSwitch(jails: Command, { terminal, end }: Session, deed: 'enable' | 'disable'): void {
  const onOrOff = deed === 'enable' ? 'on' : 'off';
  jails
    .command(deed)
    .summary(`switch a jail ${onOrOff}`)
    .description(
      `Switches a jail ${onOrOff}: writes conf.d/jail-NAME.toml and has the daemon reload. Nothing changes when it is ${onOrOff} already, or when the configuration would have problems.`,
    )
    .argument('<NAME>', 'as bailiff jails --all shows it')
    .addOption(jsonOption())
    .addOption(configOption())
    .addOption(socketOption())
    .addHelpText('after', examples([[`bailiff jails ${deed} postfix`, '']]))
    .action(async (name: string, options: SwitchOptions) =>
      end(await switchJail(name, deed === 'enable', options, terminal)),
    );
}

function overviewOf({ jails, plan }: LoadedConfig): readonly JailOverview[] {
  const descriptions = new Map(plan?.filters.map(({ name, description }) => [name, description]));
  const refused = new Set(plan?.refusedJails.map(({ name }) => name));
  return jails.map(({ name, isEnabled, filters, maxRetry, findTime, banTime }) => ({
    name,
    state: isEnabled ? (refused.has(name) ? 'refused' : 'on') : 'off',
    filters,
    description: filters.map((filter) => descriptions.get(filter) ?? filter).join('; ') || 'bans by hand',
    maxRetry,
    findTime: formatDuration(findTime),
    banTime: formatDuration(banTime),
  }));
}

function renderJails(jails: readonly JailOverview[], hidden: number, terminal: Terminal): string {
  const { style } = terminal;
  const paints = { on: style.green, off: style.dim, refused: style.red };
  const rows = jails.map((jail): Row => {
    const { name, state, description } = jail;
    return [
      { text: name, paint: style.bold },
      { text: state, paint: paints[state] },
      describePolicy(jail),
      description,
    ];
  });
  const table = renderTable(
    [
      { title: 'JAIL', align: 'left' },
      { title: '', align: 'left' },
      { title: 'POLICY', align: 'left' },
      { title: 'READS', align: 'left' },
    ],
    rows,
    terminal,
  );
  const others =
    hidden === 0
      ? ''
      : style.dim(printable(`and ${countOf(hidden, 'jail')} that are off: bailiff jails --all`));
  if (jails.every(({ filters }) => filters.length === 0))
    return `no jail is on: nobody will be banned\n${others}`.trimEnd();
  return others === '' ? table : `${table}\n\n${others}`;
}
