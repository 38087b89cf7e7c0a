/** `bailiff fail2ban-client`: stands in for fail2ban-client, for the scripts and dashboards that call it. */
import type { Command } from 'commander';
import { OperationalError } from '../../../core/errors.ts';
import { printable } from '../../../core/text/printable.ts';
import { type AddCommand, configPathOf, EXIT, examples, helpSection, type Session } from '../../command.ts';
import type { ClientOptions } from '../../fail2ban/options.ts';
import type { Terminal } from '../../render/terminal.ts';

/** What fail2ban-client ends with when anything has failed. */
const FAILED = 255;

/** What it says on standard error of options that it cannot make sense of. */
const MISUSED = 'Init of command line failed';

/** An expression for `--str2sec` that is longer is none. */
const MAX_EXPRESSION_LENGTH = 256;

export const addFail2banClient: AddCommand = (program, session) => {
  const command = program
    .command('fail2ban-client')
    .summary('stand in for fail2ban-client')
    .description(
      `Takes the words of fail2ban-client, and answers with its output and exit status (0, or ${FAILED}), for scripts and dashboards that call it.`,
    )
    .argument('[WORD...]', 'options, then a command, as for fail2ban-client')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .addHelpText('after', clientNotes);
  command.action(async (words: readonly string[]) => {
    session.end(await runClient(words, command, session));
  });
};

async function runClient(words: readonly string[], command: Command, { terminal }: Session): Promise<number> {
  const { readClientOptions } = await import('../../fail2ban/options.ts');
  const options = readClientOptions(words);
  const isEmpty = options?.words.length === 0 && options.instead === null && !options.test;
  if (options === null || isEmpty) {
    command.outputHelp();
    if (options === null) terminal.complain(MISUSED);
    return FAILED;
  }
  if (options.instead !== null) return answerInstead(options.instead, command, terminal);
  if (options.test) {
    const isGood = await testConfiguration(options, terminal);
    if (!isGood || options.words.length === 0) return isGood ? EXIT.done : FAILED;
  }
  if (options.words[0] === 'help') {
    command.outputHelp();
    return EXIT.done;
  }
  return runCommand(options, terminal);
}

async function answerInstead(
  instead: NonNullable<ClientOptions['instead']>,
  command: Command,
  terminal: Terminal,
): Promise<number> {
  const { FAIL2BAN_VERSION } = await import('../../fail2ban/commands.ts');
  if (instead.kind === 'help') command.outputHelp();
  else if (instead.kind === 'short-version') terminal.print(FAIL2BAN_VERSION);
  else if (instead.kind === 'version') terminal.print(`Fail2Ban v${FAIL2BAN_VERSION}`);
  else if (instead.kind === 'seconds') return printSeconds(instead.text, terminal);
  else {
    await logError(`bailiff has no ${instead.kind === 'dump' ? 'dump' : 'interactive mode'}`, terminal);
    return FAILED;
  }
  return EXIT.done;
}

async function runCommand(options: ClientOptions, terminal: Terminal): Promise<number> {
  const { answer, Refusal } = await import('../../fail2ban/commands.ts');
  const { pythonText } = await import('../../fail2ban/output.ts');
  const { askDaemon } = await import('../../client.ts');
  const socket = options.socket === null ? {} : { socket: options.socket };
  try {
    terminal.print(await answer(options.words, (request) => askDaemon(socket, terminal, request)));
    return EXIT.done;
  } catch (error) {
    if (error instanceof Refusal) {
      const { shown, message } = error;
      if (shown !== null) terminal.print(printable(shown));
      await logError(shown === null ? message : `NOK: (${pythonText(message)},)`, terminal);
    } else if (error instanceof OperationalError) {
      await logError(`${error.message}${error.advice === '' ? '' : ` (${error.advice})`}`, terminal);
    } else throw error;
    return FAILED;
  }
}

/** `-t`: whether the daemon would take the configuration. */
async function testConfiguration(options: ClientOptions, terminal: Terminal): Promise<boolean> {
  const { join } = await import('node:path');
  const { loadConfig } = await import('../../../config/load.ts');
  const { formatProblem } = await import('../../../config/document/problem.ts');
  const { directory } = options;
  const configPath = directory === null ? configPathOf({}, terminal) : join(directory, 'bailiff.toml');
  const { plan, problems } = loadConfig({ configPath, uid: terminal.userId, env: terminal.environment });
  if (plan !== null && problems.length === 0) {
    if (options.words.length === 0) terminal.print('OK: configuration test is successful');
    return true;
  }
  for (const problem of problems) terminal.complain(formatProblem(problem));
  await logError('ERROR: test configuration failed', terminal);
  return false;
}

async function printSeconds(text: string, terminal: Terminal): Promise<number> {
  const { secondsOf } = await import('../../fail2ban/time.ts');
  const seconds = text.length > MAX_EXPRESSION_LENGTH ? null : secondsOf(text);
  terminal.print(seconds ?? printable(`ERROR: ${text} is no length of time`, MAX_EXPRESSION_LENGTH));
  if (seconds === null) terminal.complain(MISUSED);
  return seconds === null ? FAILED : EXIT.done;
}

async function logError(message: string, terminal: Terminal): Promise<void> {
  const { renderLogLine } = await import('../../fail2ban/output.ts');
  terminal.complain(renderLogLine(terminal.now(), process.pid, message));
}

function clientNotes(): string {
  return [
    helpSection('Options', [
      ['-s, --socket PATH', 'control socket of the daemon'],
      ['-c, --conf DIR', 'directory of bailiff.toml, for -t'],
      ['-t, --test', 'test the configuration'],
      ['--str2sec TEXT', 'a length of time such as 1d12h in seconds'],
      ['-V, --version', 'the release of fail2ban whose output this is'],
      ['-h, --help', 'print this help'],
      ['others', 'are taken, and do nothing'],
    ]),
    helpSection('Commands', [
      ['status [JAIL [FLAVOR]]', 'the jails, one or --all; FLAVOR: basic, short, cymru'],
      ['stats', 'a table of failures and bans, a row for each jail'],
      ['banned [IP...]', 'who is banned where'],
      ['unban --all | IP...', 'lift bans in every jail'],
      ['set JAIL banip IP...', 'ban'],
      ['set JAIL unbanip IP...', 'lift bans; --report-absent minds those without'],
      ['get JAIL banip [TEXT]', 'who is banned, with TEXT between, or --with-time'],
      ['get JAIL banned [IP...]', 'the same for programs'],
      ['get JAIL PROPERTY', 'of bantime, findtime, maxretry, ignoreip, actions'],
      ['reload [--unban] [JAIL]', 'read the configuration again'],
      ['ping, version, echo', 'whether the daemon answers'],
    ]),
    examples([
      ['bailiff fail2ban-client status sshd', ''],
      ['bailiff fail2ban-client set sshd banip 203.0.113.9', ''],
    ]),
  ].join('\n');
}
