/**
 * `bailiff jails enable` and `bailiff jails disable`: a drop-in with one [jail.NAME], put in force by a reload where a
 * daemon runs. A configuration that would not bear it stays as it was.
 */
import { formatProblem } from '../../config/document/problem.ts';
import { printable } from '../../core/text/printable.ts';
import { EXIT, type JsonOptions, printJson } from '../command.ts';
import { dropInPath, readDropIn, removeDropIn, replaceDropIn } from '../drop-ins/drop-in.ts';
import {
  type FoundConfiguration,
  findConfiguration,
  loadAsDaemon,
  type Place,
  tryOut,
} from '../drop-ins/trial.ts';
import { complainAbout, type Terminal } from '../render/terminal.ts';

/** The first line of every drop-in that is written here; no other file is changed. */
export const SWITCHED_MARK = '# Written by bailiff jails.';

export type SwitchOptions = Place & JsonOptions;

/** What `--json` prints. */
export type SwitchReport = {
  readonly jail: string;
  readonly enabled: boolean;
  /** Whether it was otherwise before. */
  readonly changed: boolean;
  readonly reloaded: boolean;
};

/** Has the jail `name` on, or off; resolves to the exit status. */
export async function switchJail(
  name: string,
  wanted: boolean,
  options: SwitchOptions,
  terminal: Terminal,
): Promise<number> {
  const found = await findConfiguration(options, terminal);
  const { jails, plan, problems } = await loadAsDaemon(found.configPath, terminal);
  const known = jails.find((jail) => jail.name === name);
  if (known === undefined && plan === null) {
    for (const problem of problems) terminal.complain(formatProblem(problem));
    complainAbout(terminal, 'which jails there are cannot be told: everything is as it was');
    return EXIT.configuration;
  }
  if (known === undefined) {
    const advice = wanted ? 'bailiff jails --all lists them; a new one needs its filter first' : '';
    complainAbout(terminal, `there is no jail ${name}`, advice);
    return EXIT.no;
  }
  if (known.isEnabled === wanted) {
    tell({ jail: name, enabled: wanted, changed: false, reloaded: false }, found, options, terminal);
    return EXIT.done;
  }
  return change(name, wanted, found, options, terminal);
}

async function change(
  name: string,
  wanted: boolean,
  found: FoundConfiguration,
  options: SwitchOptions,
  terminal: Terminal,
): Promise<number> {
  const path = dropInPath(found.configPath, `jail-${name}`);
  const before = readDropIn(path);
  if (before !== null && !before.startsWith(SWITCHED_MARK)) {
    complainAbout(
      terminal,
      `${path} is somebody else's`,
      `write enabled = ${wanted} into its [jail.${name}]`,
    );
    return EXIT.no;
  }
  replaceDropIn(path, `${SWITCHED_MARK}\n\n[jail.${name}]\nenabled = ${wanted}\n`);
  const { loaded, obstacle } = await tryOut(found, options, terminal);
  const isSo = loaded.jails.find((jail) => jail.name === name)?.isEnabled === wanted;
  const refusal = wanted ? loaded.plan?.refusedJails.find((jail) => jail.name === name) : undefined;
  if (obstacle === null && isSo && refusal === undefined) {
    tell({ jail: name, enabled: wanted, changed: true, reloaded: found.isRunning }, found, options, terminal);
    return EXIT.done;
  }
  if (before === null) removeDropIn(path);
  else replaceDropIn(path, before);
  if (found.isRunning && obstacle === null) await tryOut(found, options, terminal);
  const deed = wanted ? 'enabled' : 'disabled';
  terminal.complain(obstacle ?? refusal?.problems.map(printable).join('\n') ?? laterFile(name, path));
  complainAbout(terminal, `${name} is not ${deed}: everything is as it was`);
  return EXIT.configuration;
}

/** A file that is read after the drop-in says otherwise. */
function laterFile(name: string, path: string): string {
  const directory = path.replace(/[^/]+$/, '');
  return printable(
    `a file that is read after ${path} says otherwise: grep -n -A9 'jail.${name}' ${directory}*.toml`,
  );
}

function tell(
  report: SwitchReport,
  found: FoundConfiguration,
  options: SwitchOptions,
  terminal: Terminal,
): void {
  if (options.json) {
    printJson(terminal, report);
    return;
  }
  const { jail, enabled, changed, reloaded } = report;
  terminal.print(printable(`${jail} is ${enabled ? 'on' : 'off'}${changed ? '' : ' already'}`));
  if (reloaded) terminal.print('reloaded');
  else if (changed && !found.isRunning)
    terminal.print('the daemon is not running: it will know when it starts');
}
