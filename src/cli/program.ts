/**
 * The command line: which commands there are, and how each run ends. Only the command that is asked for is loaded, so
 * that `bailiff ping` waits for neither the HTTP server nor the libraries that the daemon needs.
 */
import { Command, CommanderError } from 'commander';
import { OperationalError } from '../core/errors.ts';
import { printableLines } from '../core/text/printable.ts';
import { VERSION } from '../core/version.ts';
import { type AddCommand, ENVIRONMENT, EXIT, EXIT_MEANINGS, helpSection, type Session } from './command.ts';
import { complainAbout, type Terminal } from './render/terminal.ts';

/** In the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  run: async () => (await import('./commands/daemon/run.ts')).addRun,
  status: async () => (await import('./commands/daemon/status.ts')).addStatus,
  bans: async () => (await import('./commands/daemon/bans.ts')).addBans,
  ban: async () => (await import('./commands/daemon/ban.ts')).addBan,
  unban: async () => (await import('./commands/daemon/unban.ts')).addUnban,
  senders: async () => (await import('./commands/daemon/senders.ts')).addSenders,
  jails: async () => (await import('./commands/setup/jails.ts')).addJails,
  reload: async () => (await import('./commands/daemon/reload.ts')).addReload,
  doctor: async () => (await import('./commands/daemon/doctor.ts')).addDoctor,
  match: async () => (await import('./commands/filters/match.ts')).addMatch,
  explain: async () => (await import('./commands/filters/explain.ts')).addExplain,
  test: async () => (await import('./commands/filters/test-filters.ts')).addTest,
  lint: async () => (await import('./commands/filters/lint.ts')).addLint,
  import: async () => (await import('./commands/setup/import.ts')).addImport,
  'fail2ban-client': async () => (await import('./commands/setup/fail2ban-client.ts')).addFail2banClient,
  tls: async () => (await import('./commands/setup/tls.ts')).addTls,
  check: async () => (await import('./commands/setup/check.ts')).addCheck,
  completion: async () => (await import('./commands/setup/completion.ts')).addCompletion,
  ping: async () => (await import('./commands/daemon/ping.ts')).addPing,
  version: async () => (await import('./commands/setup/version.ts')).addVersion,
  complete: async () => (await import('./commands/setup/complete.ts')).addComplete,
};

/** What describes all the others. */
const DESCRIBING = 'completion';

/** An OperationalError of this code means that no daemon answers. */
const NOT_RUNNING = 'daemon-not-running';

/** Runs the command that `words` (argv without the program) name; resolves to the exit status. */
export async function runCommandLine(words: readonly string[], terminal: Terminal): Promise<number> {
  let status: number = EXIT.done;
  const session: Session = {
    terminal,
    end: (ended) => {
      status = ended;
    },
  };
  try {
    const program = createProgram(terminal);
    await addCommands(program, commandsToLoad(words[0]), session);
    await program.parseAsync(words, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (!(error instanceof OperationalError)) throw error;
    complainAbout(terminal, error.message, error.advice);
    return error.code === NOT_RUNNING ? EXIT.notRunning : EXIT.no;
  }
}

/** The program with all of its commands, for whoever describes them. */
export async function createWholeProgram(terminal: Terminal): Promise<Command> {
  const program = createProgram(terminal);
  await addCommands(program, Object.values(COMMANDS), { terminal, end: () => undefined });
  return program;
}

async function addCommands(
  program: Command,
  commands: ReadonlyArray<() => Promise<AddCommand>>,
  session: Session,
): Promise<void> {
  for (const load of commands) (await load())(program, session);
  for (const command of program.commands) pointToHelp(command, program.name());
}

/** What is wrong with a command's words ends with where its help is. */
function pointToHelp(command: Command, before: string): void {
  const path = `${before} ${command.name()}`;
  command.showHelpAfterError(`(see ${path} --help)`);
  for (const inner of command.commands) pointToHelp(inner, path);
}

/** The one that is named; all of them for the help, and for a word that may be near one of them. */
function commandsToLoad(word: string | undefined): ReadonlyArray<() => Promise<AddCommand>> {
  const isKnown = word !== undefined && word !== DESCRIBING && Object.hasOwn(COMMANDS, word);
  const named = isKnown ? COMMANDS[word] : undefined;
  return named === undefined ? Object.values(COMMANDS) : [named];
}

function createProgram(terminal: Terminal): Command {
  return new Command('bailiff')
    .description('Bans attackers that journald and syslog report, in nftables.')
    .version(`bailiff ${VERSION}`, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'explain a command')
    .enablePositionalOptions()
    .configureHelp({ helpWidth: terminal.columns })
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.complain(printableLines(text.trimEnd())),
      outputError: (text, write) => write(text.replace(/^error: /, 'bailiff: ')),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError('(see bailiff --help)')
    .addHelpText('after', programNotes)
    .exitOverride();
}

function programNotes(): string {
  return [
    helpSection('Exit status', EXIT_MEANINGS),
    helpSection('Environment', ENVIRONMENT),
    '\nEach command explains itself: bailiff COMMAND --help',
  ].join('\n');
}
