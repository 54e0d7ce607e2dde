import { type Spot, type Value, valuedFlags } from './spots.ts';

/** A script that completes the command line in bash. */
export function bashScript(name: string, spots: readonly Spot[]): string {
  const paths = spots.map(({ path }) => path).filter((path) => path !== '');
  return `# Completion of ${name} in bash: source it, or put it where bash-completion looks.
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} spot= n
  local IFS=$'\\n'
  COMPREPLY=()
  for ((n = 1; n < COMP_CWORD; n++)); do
    case \${COMP_WORDS[n]} in
    ${valuedFlags(spots).join(' | ')}) ((n++)) ;;
    *)
      case "\${spot:+$spot }\${COMP_WORDS[n]}" in
      ${paths.map(quote).join(' | ')}) spot=\${spot:+$spot }\${COMP_WORDS[n]} ;;
      esac
      ;;
    esac
  done
  case "$spot|$previous" in
${spots.flatMap(({ path, values }) => [...values].map(([flag, value]) => `  ${quote(`${path}|${flag}`)}) ${reply(value)}; return ;;`)).join('\n')}
  esac
  case $spot in
${spots.map((spot) => `  ${quote(spot.path)}) ${argumentOf(spot)} ;;`).join('\n')}
  esac
}
complete -o filenames -F _${name} ${name}
`;
}

/** Options, subcommands and arguments. */
function argumentOf({ words, argument }: Spot): string {
  const known = argument === 'file' || argument === 'any' ? words : [...words, ...argument];
  const list = reply(known);
  return argument === 'file' ? `[[ $current == -* ]] && ${list} || ${reply('file')}` : list;
}

function reply(value: Value): string {
  if (value === 'any') return ':';
  if (value === 'file') return 'COMPREPLY=($(compgen -f -- "$current"))';
  return `COMPREPLY=($(compgen -W ${quote(value.map(({ word }) => word).join('\n'))} -- "$current"))`;
}

function quote(text: string): string {
  return text.includes('\n') ? `$'${text.replaceAll('\n', '\\n')}'` : `'${text}'`;
}
