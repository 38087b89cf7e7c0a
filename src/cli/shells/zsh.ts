/** The completion for zsh, by its own _arguments: zshcompsys(1). It may be a file `_bailiff` in $fpath, or sourced. */
import type { ArgumentModel, CommandModel, OptionModel, Values } from './model.ts';

export function renderZshCompletion(
  commands: readonly CommandModel[],
  globalFlags: readonly string[],
): string {
  return `#compdef bailiff
# zsh completion for bailiff, as printed by: bailiff completion zsh

_bailiff_commands() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join('\n')}
  )
  _describe command commands
}

# Only the running program knows these; nothing is offered when it does not answer.
_bailiff_live() {
  [[ $1 == filters && $PREFIX == */* ]] && { _files -g '*.toml'; return }
  local -a found
  found=(\${(f)"$(\${bailiff_program:-bailiff} complete $1 "$PREFIX" 2>/dev/null)"})
  compadd -a found
}

_bailiff() {
  local curcontext="$curcontext" state line bailiff_program=\${(Q)words[1]}
  typeset -A opt_args
  _arguments -C ${globalFlags.map((flag) => quote(`(- *)${flag}`)).join(' ')} \\
    '1: :_bailiff_commands' '*:: :->arguments'
  [[ $state == arguments ]] || return
  case $words[1] in
${commands.map(renderCommand).join('\n')}
  esac
}

if [[ $funcstack[1] == _bailiff ]]; then
  _bailiff "$@"
else
  compdef _bailiff bailiff
fi
`;
}

function renderCommand(command: CommandModel): string {
  const specifications = [...command.options.map(renderOption), ...command.arguments.map(renderArgument)];
  const lines = specifications.map((specification) => ` \\\n        ${quote(specification)}`);
  return `    ${command.name})\n      _arguments${lines.join('')}\n      ;;`;
}

function renderOption({ flag, description, value }: OptionModel): string {
  const head = `${flag}[${escapeSpecial(description)}]`;
  if (value === null) return head;
  return `${head}${value.isOptional ? '::' : ':'}${escapeSpecial(value.name)}:${actionFor(value.values)}`;
}

function renderArgument({ name, isVariadic, values }: ArgumentModel, index: number): string {
  return `${isVariadic ? '*' : index + 1}:${escapeSpecial(name)}:${actionFor(values)}`;
}

function actionFor(values: Values): string {
  switch (values.kind) {
    case 'words':
      return `(${values.words.join(' ')})`;
    case 'files':
      return '_files';
    case 'directories':
      return '_files -/';
    case 'other':
      return ' ';
    default:
      return `{_bailiff_live ${values.kind}}`;
  }
}

function escapeSpecial(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
