/** `bailiff completion`: prints the completion of a shell, made from the commands themselves. */
import { Argument } from 'commander';
import { type AddCommand, EXIT, examples, helpSection } from '../../command.ts';

export const addCompletion: AddCommand = (program, { terminal, end }) => {
  program
    .command('completion')
    .summary('print the completion for a shell')
    .description(
      'Prints a script by which the shell completes commands and options, names of jails and filters, and banned addresses. The packages bring them along.',
    )
    .addArgument(new Argument('<SHELL>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', completionNotes)
    .action(async (shell: string) => {
      const { renderCompletion } = await import('../../shells/script.ts');
      terminal.print(renderCompletion(shell, program).trimEnd());
      end(EXIT.done);
    });
};

function completionNotes(): string {
  return [
    helpSection('Where they go', [
      ['bash', '/usr/share/bash-completion/completions/bailiff, or sourced'],
      ['zsh', 'a file _bailiff in a directory of $fpath, or sourced'],
      ['fish', '~/.config/fish/completions/bailiff.fish'],
    ]),
    examples([
      ['bailiff completion bash >> ~/.bashrc', 'for one user'],
      ['bailiff completion zsh > ~/.zfunc/_bailiff', 'with ~/.zfunc in $fpath'],
    ]),
  ].join('\n');
}
