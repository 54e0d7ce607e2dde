import { hash, randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { Output } from '../output.ts';

interface Options {
  readonly name: string;
  readonly role: string;
  readonly namespace?: string;
  readonly expires?: string;
}

/** Nobody guesses so many. */
const TOKEN_BYTES = 32;

const EXAMPLES = `
The token goes to whoever is to have it: it is printed once, on standard output, and kept nowhere. The entry, on standard
error, goes into the file that the server's setting auth.clients names; it has the token's hash alone.

Examples:
  accrete token --name shop --role write > shop.token
  accrete token --name nightly --role admin --expires 2027-01-01
`;

export function addToken(program: Command): void {
  program
    .command('token')
    .description('make a token for a client, and the entry for the file of the clients')
    .requiredOption('--name <name>', "the client's name, for messages and limits")
    .addOption(new Option('--role <role>', 'what it may do').choices(['read', 'write', 'admin']).makeOptionMandatory())
    .option('--namespace <name>', 'the namespace that it belongs to')
    .option('--expires <time>', 'the day, or the second, from which it is refused (ISO 8601)')
    .addHelpText('after', EXAMPLES)
    .action((options: Options, command: Command) => {
      const output = new Output(command.optsWithGlobals<{ json?: boolean }>().json === true);
      const { name, role, namespace, expires } = options;
      const token = `accrete_${randomBytes(TOKEN_BYTES).toString('base64url')}`;
      const tokens = [`sha256:${hash('sha256', token, 'hex')}`];
      const entry = { name, role, ...(namespace && { namespace }), ...(expires && { expires }), tokens };
      output.answer({ token, entry }, () => {
        output.line(token);
        output.note(`  - ${JSON.stringify(entry)}`);
      });
    });
}
