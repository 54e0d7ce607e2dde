import { basename } from 'node:path';
import type { Command } from 'commander';
import { ExportModelRequest, ImportModelResponse, ModelServiceService } from '../../../proto/gen/accrete/v1/model.ts';
import { download } from '../download.ts';
import { onInterrupt } from '../interrupt.ts';
import { formatBytes } from '../output.ts';
import { fileOf } from '../output-file.ts';
import { printFile } from '../print-file.ts';
import { createProgress } from '../progress.ts';
import { withSession } from '../session.ts';
import { upload } from '../upload.ts';
import { writeFiles } from '../write-files.ts';

interface ExportOptions {
  readonly kept?: string;
  readonly force?: boolean;
}

export function addExport(models: Command): void {
  models
    .command('export')
    .description('write a model to one file (safetensors), with the ids of its users and items')
    .argument('<name>')
    .argument('<file>', 'where to; - is standard output')
    .option('--kept <version>', 'this kept version, in place of the one that serves')
    .option('--force', 'replace a file that exists')
    .action((name: string, file: string, { kept, force = false }: ExportOptions, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const path = fileOf(file);
        const header = await writeFiles(output, path === undefined, async (files, progress) => {
          const sink = files.open(path, force);
          const request = ExportModelRequest.fromPartial({ name, version: kept });
          return await download(connection.stream(ModelServiceService.exportModel, request), sink, progress);
        });
        printFile(header, path, output);
      }),
    );
}

export function addImport(models: Command): void {
  models
    .command('import')
    .description('give a server a model file, as a source for fuse; it is checked and kept in the folder imports')
    .argument('<file>')
    .option('--name <name>', 'what it is called there (default: as the file)')
    .action((file: string, { name = basename(file) }: { name?: string }, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const progress = createProgress(output);
        onInterrupt(output, 'nothing was imported', () => progress.stop());
        const answer = await upload(connection, file, name, progress);
        const tables = answer.tables.map(({ name: table, rows, bytes }) => `${table} (${rows}, ${formatBytes(bytes)})`);
        output.answer(ImportModelResponse.toJSON(answer), () =>
          output.line(`${answer.file} is kept, with ${tables.join(', ') || 'no tables'}`),
        );
      }),
    );
}
