import { type Spot, type Value, valuedFlags, type Word } from './spots.ts';

/** A script that completes the command line in zsh. */
export function zshScript(name: string, spots: readonly Spot[]): string {
  const paths = spots.map(({ path }) => path).filter((path) => path !== '');
  return `#compdef ${name}
# Completion of ${name} in zsh: source it after compinit, or name it _${name} in a folder of fpath.
_${name}() {
  local spot= n
  local -a found
  for ((n = 2; n < CURRENT; n++)); do
    case \${words[n]} in
      ${valuedFlags(spots).join('|')}) ((n++)) ;;
      *)
        case "\${spot:+$spot }\${words[n]}" in
          ${paths.map(quote).join('|')}) spot="\${spot:+$spot }\${words[n]}" ;;
        esac
        ;;
    esac
  done
  case "$spot|\${words[CURRENT-1]}" in
${spots.flatMap(({ path, values }) => [...values].map(([flag, value]) => `    ${quote(`${path}|${flag}`)}) ${reply(value)}; return ;;`)).join('\n')}
  esac
  case "$spot" in
${spots.map((spot) => `    ${quote(spot.path)}) ${argumentOf(spot)} ;;`).join('\n')}
  esac
}
# When zsh has loaded this as the function itself, it is called at once.
if [[ \${funcstack[1]} == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function argumentOf({ words, argument }: Spot): string {
  if (argument === 'any') return reply(words);
  if (argument === 'file') return `if [[ \${words[CURRENT]} == -* ]]; then ${reply(words)}; else _files; fi`;
  return reply([...words, ...argument]);
}

function reply(value: Value): string {
  if (value === 'any') return ':';
  if (value === 'file') return '_files';
  return `found=(${value.map(entryOf).join(' ')}); _describe ${quote('')} found`;
}

/** A colon divides a word from what it does. */
function entryOf({ word, description }: Word): string {
  return quote(description === '' ? word : `${word.replaceAll(':', '\\:')}:${description}`);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
