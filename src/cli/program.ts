/**
 * The command line: which commands there are, and how each run ends. Only the command that is asked for is loaded, so
 * that `bailiff ping` waits for neither the HTTP server nor the libraries that the daemon needs.
 */
import { Command, CommanderError } from 'commander';
import { OperationalError } from '../core/errors.ts';
import { printableLines } from '../core/printable.ts';
import { VERSION } from '../core/version.ts';
import { type AddCommand, EXIT, helpSection, type Session } from './command.ts';
import { complainAbout, type Terminal } from './terminal.ts';

/** In the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  run: async () => (await import('./run.ts')).addRun,
  status: async () => (await import('./status.ts')).addStatus,
  bans: async () => (await import('./bans.ts')).addBans,
  ban: async () => (await import('./ban.ts')).addBan,
  unban: async () => (await import('./unban.ts')).addUnban,
  reload: async () => (await import('./reload.ts')).addReload,
  match: async () => (await import('./match.ts')).addMatch,
  explain: async () => (await import('./explain.ts')).addExplain,
  test: async () => (await import('./test-filters.ts')).addTest,
  lint: async () => (await import('./lint.ts')).addLint,
  import: async () => (await import('./import.ts')).addImport,
  check: async () => (await import('./check.ts')).addCheck,
  ping: async () => (await import('./ping.ts')).addPing,
  version: async () => (await import('./version.ts')).addVersion,
};

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
    for (const load of commandsToLoad(words[0])) (await load())(program, session);
    for (const command of program.commands) {
      command.showHelpAfterError(`(see bailiff ${command.name()} --help)`);
    }
    await program.parseAsync(words, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (!(error instanceof OperationalError)) throw error;
    complainAbout(terminal, error.message, error.advice);
    return error.code === NOT_RUNNING ? EXIT.notRunning : EXIT.no;
  }
}

/** The one that is named; all of them for the help, and for a word that may be near one of them. */
function commandsToLoad(word: string | undefined): ReadonlyArray<() => Promise<AddCommand>> {
  const isKnown = word !== undefined && Object.hasOwn(COMMANDS, word);
  const named = isKnown ? COMMANDS[word] : undefined;
  return named === undefined ? Object.values(COMMANDS) : [named];
}

function createProgram(terminal: Terminal): Command {
  return new Command('bailiff')
    .description('Bans attackers that journald and syslog report, in nftables.')
    .version(`bailiff ${VERSION}`, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'explain a command')
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
    helpSection('Exit status', [
      ['0', 'done'],
      ['1', 'no: refused, not found, or not possible'],
      ['2', 'the command line is wrong'],
      ['3', 'the daemon is not running'],
      ['4', 'the configuration is wrong'],
    ]),
    helpSection('Environment', [
      ['BAILIFF_CONFIG', 'configuration file, as --config'],
      ['BAILIFF_SOCKET', 'control socket, as --socket'],
      ['NO_COLOR', 'when set, no colours'],
    ]),
    '\nEach command explains itself: bailiff COMMAND --help',
  ].join('\n');
}
