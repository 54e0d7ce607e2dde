import { type Spot, type Value, valuedFlags, type Word } from './spots.ts';

/** A script that completes the command line in fish. */
export function fishScript(name: string, spots: readonly Spot[]): string {
  const paths = spots.map(({ path }) => path).filter((path) => path !== '');
  return `# Completion of ${name} in fish: source it, or put it into ~/.config/fish/completions/${name}.fish
function __${name}_spot
    set -l spot
    set -l passed 0
    for word in (commandline -opc)[2..]
        if test $passed = 1
            set passed 0
            continue
        end
        switch $word
            case ${valuedFlags(spots).map(quote).join(' ')}
                set passed 1
            case '*'
                set -l next (string join -- ' ' $spot $word)
                contains -- $next ${paths.map(quote).join(' ')}
                and set -a spot $word
        end
    end
    test "$spot" = "$argv[1]"
end
complete -c ${name} -f
${spots.flatMap((spot) => linesOf(name, spot)).join('\n')}
`;
}

function linesOf(name: string, { path, words, values, argument }: Spot): string[] {
  const start = `complete -c ${name} -n ${quote(`__${name}_spot ${quote(path)}`)}`;
  const lines = words.map(({ word, description }) => {
    const shown = description === '' ? '' : ` -d ${quote(description)}`;
    if (!word.startsWith('--')) return `${start} -a ${quote(word)}${shown}`;
    return `${start} -l ${word.slice(2)}${flagsOf(values.get(word))}${shown}`;
  });
  if (argument === 'file') lines.push(`${start} -F`);
  else if (argument !== 'any') lines.push(`${start} -a ${quote(listOf(argument))}`);
  return lines;
}

function flagsOf(value: Value | undefined): string {
  if (value === undefined) return '';
  if (value === 'file') return ' -r -F';
  return value === 'any' ? ' -x' : ` -x -a ${quote(listOf(value))}`;
}

function listOf(words: readonly Word[]): string {
  return words.map(({ word }) => word).join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
