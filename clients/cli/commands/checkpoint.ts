import { type Command, Option } from 'commander';
import {
  CreateCheckpointRequest,
  CreateCheckpointResponse,
  ExportCheckpointRequest,
} from '../../../proto/gen/accrete/v1/checkpoint.ts';
import { ModelServiceService } from '../../../proto/gen/accrete/v1/model.ts';
import { readStoreFile, type StoreFile } from '../checkpoint/store-file.ts';
import type { Connection } from '../connection.ts';
import { download } from '../download.ts';
import { onInterrupt } from '../interrupt.ts';
import { formatBytes, formatCount, type Output } from '../output.ts';
import { fileOf } from '../output-file.ts';
import { printFile } from '../print-file.ts';
import { createProgress } from '../progress.ts';
import { withSession } from '../session.ts';
import { writeFiles } from '../write-files.ts';

const DETAILS = `
A checkpoint is the state as of a revision: a restart learns only what came after. A server makes them by itself, and at
its stop. \`export\` writes a store as of one, journal included, as one file (an archive of tar) that checks itself;
\`import\` makes a store of it, on this machine, without a server.

Examples:
  accrete checkpoint create
  accrete checkpoint export backup.tar
  accrete checkpoint export - | ssh other accrete checkpoint import - --data /var/lib/accrete
  accrete checkpoint verify backup.tar
`;

export function addCheckpoint(program: Command): void {
  const checkpoint = program
    .command('checkpoint')
    .description('saved states: make one, take a store to another place as one file')
    .addHelpText('after', DETAILS);
  addCreate(checkpoint);
  addExport(checkpoint);
  addImport(checkpoint);
  addVerify(checkpoint);
}

function addCreate(checkpoint: Command): void {
  checkpoint
    .command('create')
    .description('save the state as it is now')
    .action((_options: unknown, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const answer = await create(connection);
        const { name = '', bytes = 0n, duration } = answer.checkpoint ?? {};
        const seconds = Number(duration?.seconds ?? 0n) + (duration?.nanos ?? 0) / 1e9;
        output.answer(CreateCheckpointResponse.toJSON(answer), () =>
          output.line(`${name} is on disk: ${formatBytes(bytes)} in ${seconds.toFixed(2)} s`),
        );
      }),
    );
}

interface ExportOptions {
  readonly name?: string;
  readonly withoutJournal?: boolean;
  readonly force?: boolean;
}

function addExport(checkpoint: Command): void {
  checkpoint
    .command('export')
    .description('write a store as of a checkpoint to one file')
    .argument('<file>', 'where to; - is standard output')
    .option('--name <name>', 'the checkpoint (default: one of now)')
    .option('--without-journal', 'leave the records out: the store that is made of it begins at the checkpoint')
    .option('--force', 'replace a file that exists')
    .action((file: string, options: ExportOptions, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const path = fileOf(file);
        const header = await writeFiles(output, path === undefined, async (files, progress) => {
          const sink = files.open(path, options.force ?? false);
          const name = options.name ?? (await create(connection)).checkpoint?.name ?? '';
          const { withoutJournal = false } = options;
          const request = ExportCheckpointRequest.fromPartial({ name, withoutJournal });
          return await download(connection.stream(ModelServiceService.exportCheckpoint, request), sink, progress);
        });
        printFile(header, path, output);
      }),
    );
}

function addImport(checkpoint: Command): void {
  checkpoint
    .command('import')
    .description('make a store of a file, on this machine, without a server')
    .argument('<file>', 'what export wrote; - is standard input')
    .addOption(new Option('--data <folder>', 'the data folder to make').makeOptionMandatory())
    .action((file: string, { data }: { data: string }, command: Command) =>
      withSession(command, async ({ output }) => {
        const found = await read('--import', file, [`--data=${data}`], output);
        output.answer({ data, ...documentOf(found) }, () =>
          output.line(`${data} has the store: ${describe(found)}. Start it with accrete serve --data ${data}`),
        );
      }),
    );
}

function addVerify(checkpoint: Command): void {
  checkpoint
    .command('verify')
    .description('read a file of export, and check every byte of it')
    .argument('<file>', 'what export wrote; - is standard input')
    .action((file: string, _options: unknown, command: Command) =>
      withSession(command, async ({ output }) => {
        const found = await read('--verify', file, [], output);
        output.answer(documentOf(found), () => output.line(`${file} is whole: ${describe(found)}`));
      }),
    );
}

/** Saving a large state takes long. */
const CREATE_MS = 3_600_000;

function create(connection: Connection): Promise<CreateCheckpointResponse> {
  return connection.call(ModelServiceService.createCheckpoint, CreateCheckpointRequest.create(), CREATE_MS);
}

async function read(
  flag: '--import' | '--verify',
  file: string,
  settings: readonly string[],
  output: Output,
): Promise<StoreFile> {
  const progress = createProgress(output);
  const begun = (stop: () => void) => {
    const cleanUp = () => {
      progress.stop();
      stop();
    };
    onInterrupt(output, flag === '--import' ? 'the store was not made' : 'it was not read to its end', cleanUp);
  };
  return readStoreFile({ flag, file, settings }, progress, begun);
}

function documentOf({ revision, createdMs, journalFrom, files, records, bytes }: StoreFile) {
  const texts = { revision: revisionOf(revision), createTime: new Date(createdMs).toISOString() };
  return { ...texts, journalFrom: revisionOf(journalFrom), files, records, bytes };
}

function describe({ revision, records, journalFrom, bytes }: StoreFile): string {
  const journal =
    journalFrom === undefined ? 'no records' : `${formatCount(records)} records from ${revisionOf(journalFrom)} on`;
  return `as of revision ${revisionOf(revision)}, ${journal}, ${formatBytes(BigInt(bytes))}`;
}

function revisionOf(revision: number | undefined): string {
  return revision === undefined ? '' : String(revision).padStart(20, '0');
}
