import type { Command } from 'commander';
import { ListModelsResponse } from '../../../proto/gen/accrete/v1/model.ts';
import { LOCAL } from '../credentials.ts';
import { makeBundle } from '../doctor/bundle.ts';
import { attention, type Finding, note } from '../doctor/findings.ts';
import { examineLocal, type Local, lookAtFolder } from '../doctor/local.ts';
import { repairJournal } from '../doctor/repair.ts';
import { examineServer, lookAtServer, type Running } from '../doctor/running.ts';
import { EXIT, UsageError } from '../failure.ts';
import type { Output, Table } from '../output.ts';
import { fileOf } from '../output-file.ts';
import { withSession } from '../session.ts';
import { writeFiles } from '../write-files.ts';

const METRICS_PORT = 9464;

const DETAILS = `
It asks the server at --address for its health, models and metrics. If that is on this machine, or if no server
answers, it also looks at the configuration and the data folder as a start in this folder would find them; further
arguments are settings, as for accrete serve. It changes nothing. The exit code is 1 if something needs attention.

With --repair it looks at the journal of the data folder, which no server may use meanwhile. If a record is damaged or
missing, it tells what a repair would keep (all before that record, or what a checkpoint has learned, with the records
after the damage) and what it would drop, and does it with --yes, or when the terminal says so. The files as they were
are then in a folder damaged-TIME of the data folder. Restore the journal from a backup instead, if there is one.

With --bundle it writes what a report of a bug needs into one file: versions, settings, models, figures, findings and, with
--log, lines of the log less every text that may come from a request. No ids of users or items are in it.

Examples:
  accrete doctor
  accrete doctor --config /etc/accrete.yaml --data /var/lib/accrete
  accrete doctor --address recommender:50051 --metrics recommender:9464
  accrete doctor --repair --data /var/lib/accrete
  accrete doctor --bundle report.json --log accrete.log
`;

interface DoctorOptions {
  readonly metrics?: string;
  readonly repair?: boolean;
  readonly yes?: boolean;
  readonly bundle?: string;
  readonly log?: string;
}

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('what is configured, which limits are near, and what to do about it')
    .usage('[options] [--config FILE] [--KEY VALUE]...')
    .option('--repair', 'tell what can be kept of a damaged journal, and keep it')
    .option('--yes', 'repair without asking')
    .option('--bundle <file>', 'write what a report of a bug needs, too; without ids (a name in .gz: compressed)')
    .option('--log <file>', "the server's log, for --bundle")
    .option('--metrics <address>', 'where the metrics of the server are: host:port (default: port 9464 of its host)')
    .allowUnknownOption()
    .allowExcessArguments()
    .addHelpText('after', DETAILS)
    .action(({ metrics, repair, yes = false, bundle, log }: DoctorOptions, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        if (yes && !repair) throw new UsageError('--yes belongs to --repair');
        if (log !== undefined && bundle === undefined) throw new UsageError('--log belongs to --bundle');
        if (repair) {
          process.exitCode = await repairJournal(command.args, yes, output);
          return;
        }
        const { address } = connection;
        const running = await lookAtServer(connection, metrics ?? metricsOf(address));
        const local = !running || LOCAL.test(address) ? await lookAtFolder(command.args) : undefined;
        const ofServer = running ? examineServer(running) : [absent(address)];
        const told = new Set(ofServer.map(({ subject }) => subject));
        const ofFolder = local ? examineLocal(local, running !== undefined) : [];
        const findings = [...ofServer, ...ofFolder.filter(({ subject }) => !told.has(subject))];
        const document = documentOf(running, local, findings);
        if (bundle !== undefined) await writeBundle(bundle, { ...document, samples: running?.samples }, log, output);
        output.answer(document, () => print(local, findings, output));
        if (findings.some(({ level }) => level === 'attention')) process.exitCode = EXIT.failed;
      }),
    );
}

function metricsOf(address: string): string {
  const host = address.startsWith('unix:') ? '127.0.0.1' : address.slice(0, address.lastIndexOf(':'));
  return `${host}:${METRICS_PORT}`;
}

/** Someone who names another machine expects a server there. */
function absent(address: string): Finding {
  const text = `none answers at ${address}`;
  if (LOCAL.test(address))
    return note('server', text, 'start one with accrete serve, or say where it is with --address');
  return attention('server', text, 'start it, or say where it is with --address');
}

async function writeBundle(file: string, found: object, log: string | undefined, output: Output): Promise<void> {
  if (fileOf(file) === undefined) throw new UsageError('--bundle takes the name of a file');
  const text = `${JSON.stringify(await makeBundle(found, log), undefined, 2)}\n`;
  await writeFiles(output, false, (files) => files.open(file, false).write(text));
  output.note(`${file} has no ids of users or items; read it before you send it`);
}

function documentOf(running: Running | undefined, local: Local | undefined, findings: readonly Finding[]): object {
  if (!running) return { local, findings };
  const { models, samples, ...rest } = running;
  const listed = ListModelsResponse.toJSON({ models: [...models], nextPageToken: '' }) as object;
  return { server: { ...rest, ...listed, metrics: samples !== undefined }, local, findings };
}

function print(local: Local | undefined, findings: readonly Finding[], output: Output): void {
  output.table(findingTable(findings));
  const changed = local?.settings?.filter(({ source }) => source !== 'default') ?? [];
  if (changed.length > 0) {
    output.line('');
    output.table({
      columns: [{ name: 'setting' }, { name: 'value' }, { name: 'set by' }],
      rows: changed.map(({ key, value, source }) => [key, JSON.stringify(value), source]),
    });
  }
  const count = findings.filter(({ level }) => level === 'attention').length;
  output.note(count === 0 ? 'all is well' : `${count} of these need attention`);
}

function findingTable(findings: readonly Finding[]): Table {
  const order = ['attention', 'note', 'ok'];
  const sorted = findings.toSorted((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
  return {
    columns: [{ name: '' }, { name: 'about' }, { name: 'found' }, { name: 'what to do' }],
    rows: sorted.map(({ level, subject, text, advice }) => [
      level === 'attention' ? '!' : level,
      subject,
      text,
      advice,
    ]),
  };
}
