/** `bailiff run`: the daemon, in the foreground. */
import { resolve } from 'node:path';
import {
  type AddCommand,
  type ConfigOptions,
  configOption,
  configPathOf,
  examples,
  type SocketOptions,
  socketOption,
  socketPathOf,
} from '../../command.ts';

type RunOptions = ConfigOptions & SocketOptions & { readonly stateDir?: string; readonly dryRun?: true };

export const addRun: AddCommand = (program, { terminal, end }) => {
  program
    .command('run')
    .summary('run the daemon')
    .description(
      'Runs the daemon in the foreground until SIGTERM or Ctrl-C. Bans stay in the kernel when it stops. What it cannot have (root, libnftables, a journal) it names, and works without. With a mistake in the configuration it goes by the one that was last in force.',
    )
    .addOption(configOption())
    .option('--state-dir <DIR>', 'where bans and the journal position are kept')
    .addOption(socketOption())
    .option('--dry-run', 'decide and report, but ban nobody')
    .addHelpText(
      'after',
      examples([
        ['bailiff run', 'as the system service does'],
        ['bailiff run --config etc/bailiff.toml --dry-run', 'try a configuration'],
      ]),
    )
    .action(async (options: RunOptions) => {
      // What ps and pgrep show, in place of `node` with its flags.
      process.title = 'bailiff';
      const { runDaemon } = await import('../../../daemon/daemon.ts');
      const status = await runDaemon({
        // Told to whoever asks, from another directory.
        configPath: resolve(configPathOf(options, terminal)),
        stateDirectory: options.stateDir ?? null,
        socketPath: socketPathOf(options, terminal),
        dryRun: options.dryRun === true,
      });
      end(status);
    });
};
