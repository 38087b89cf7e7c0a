/**
 * The completion for bash. It needs nothing but bash 4.2: neither the package bash-completion nor its helpers. The line
 * is split at blanks, not as bash splits it: for bash a colon ends a word, and IPv6 addresses have many.
 */
import type { CommandModel, Values } from './model.ts';

export function renderBashCompletion(
  commands: readonly CommandModel[],
  globalFlags: readonly string[],
): string {
  const names = [...commands.map((command) => command.name), ...globalFlags];
  return `# bash completion for bailiff, as printed by: bailiff completion bash

# Offers those of the words that begin with what is typed. They are split at blanks and never expanded.
_bailiff_offer() {
  local prefix='' word
  local -a words
  read -r -d '' -a words <<<"$1"
  [[ $COMP_WORDBREAKS == *:* && $current == *:* ]] && prefix=\${current%"\${current##*:}"}
  for word in "\${words[@]}"; do
    [[ $word == "$current"* ]] && COMPREPLY+=("\${word#"$prefix"}")
  done
}

_bailiff_live() {
  if [[ $1 == filters && $current == */* ]]; then
    _bailiff_paths -f
    return
  fi
  _bailiff_offer "$("\${words[0]}" complete "$1" "$current" 2>/dev/null)"
}

_bailiff_paths() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
}

_bailiff() {
  local line=\${COMP_LINE:0:COMP_POINT}
  local -a words
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local last=$((\${#words[@]} - 1))
  local current=\${words[last]} before=\${words[last - 1]} command=\${words[1]}
  COMPREPLY=()
  if ((last == 1)); then
    _bailiff_offer ${quote(names.join(' '))}
    return
  fi
  local options='' valued='' position=0 index
  case $command in
${commands.map(renderOptions).join('\n')}
    *) return ;;
  esac
  if [[ $valued == *" $before "* ]]; then
    case "$command $before" in
${commands.flatMap(renderOptionValues).join('\n')}
    esac
    return
  fi
  if [[ $current == -* ]]; then
    _bailiff_offer "$options"
    return
  fi
  for ((index = 2; index < last; index++)); do
    if [[ $valued == *" \${words[index]} "* ]]; then
      ((index++))
    elif [[ \${words[index]} != -* ]]; then
      ((position++))
    fi
  done
  case "$command $position" in
${commands.flatMap(renderArguments).join('\n')}
  esac
}

complete -F _bailiff bailiff
`;
}

function renderOptions({ name, options }: CommandModel): string {
  const flags = options.map((option) => option.flag).join(' ');
  const valued = options.filter(({ value }) => value?.isOptional === false).map((option) => option.flag);
  return `    ${name}) options=${quote(flags)} valued=${quote(` ${valued.join(' ')} `)} ;;`;
}

function renderOptionValues({ name, options }: CommandModel): string[] {
  return options.flatMap(({ flag, value }) => {
    const action = value === null || value.isOptional ? null : actionFor(value.values);
    return action === null ? [] : [`      ${quote(`${name} ${flag}`)}) ${action} ;;`];
  });
}

function renderArguments(command: CommandModel): string[] {
  return command.arguments.flatMap(({ isVariadic, values }, index) => {
    const action = actionFor(values);
    const place = isVariadic ? `${quote(`${command.name} `)}*` : quote(`${command.name} ${index}`);
    return action === null ? [] : [`    ${place}) ${action} ;;`];
  });
}

function actionFor(values: Values): string | null {
  switch (values.kind) {
    case 'words':
      return `_bailiff_offer ${quote(values.words.join(' '))}`;
    case 'files':
      return '_bailiff_paths -f';
    case 'directories':
      return '_bailiff_paths -d';
    case 'other':
      return null;
    default:
      return `_bailiff_live ${values.kind}`;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
