import { Argument, type Command } from 'commander';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { spotsOf } from '../completion/spots.ts';
import { zshScript } from '../completion/zsh.ts';
import { withSession } from '../session.ts';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

const EXAMPLES = `
Examples:
  source <(accrete completion bash)                                     bash, in ~/.bashrc
  source <(accrete completion zsh)                                      zsh, in ~/.zshrc after compinit
  accrete completion fish > ~/.config/fish/completions/accrete.fish     fish
`;

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', EXAMPLES)
    .action((shell: keyof typeof SCRIPTS, _options: unknown, command: Command) =>
      withSession(command, async ({ output }) => {
        const script = SCRIPTS[shell](program.name(), spotsOf(program));
        output.answer({ shell, script }, () => output.stdout.write(script));
      }),
    );
}
