import type { Command } from 'commander';
import {
  DeleteImportRequest,
  type Import,
  ImportServiceService,
  ListImportsRequest,
  ListImportsResponse,
} from '../../../proto/gen/accrete/v1/import.ts';
import { formatBytes, formatDate, type Table } from '../output.ts';
import { collectPages } from '../paging.ts';
import { withSession } from '../session.ts';

/** The model files that a server was given. */
export function addImports(models: Command): void {
  const imports = models.command('imports').description('the model files that were imported, as sources for fuse');
  imports
    .command('list', { isDefault: true })
    .description('all of them, by name')
    .action((_options: unknown, command: Command) => list(command));
  imports
    .command('delete')
    .description('remove one; what was fused of it stays')
    .argument('<file>')
    .action((file: string, _options: unknown, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        await connection.call(ImportServiceService.deleteImport, DeleteImportRequest.fromPartial({ file }));
        output.answer({}, () => output.line(`there is no import ${file} any more`));
      }),
    );
}

function list(command: Command): Promise<void> {
  return withSession(command, async ({ connection, output }) => {
    const { entries: imports } = await collectPages(async (pageToken) => {
      const request = ListImportsRequest.fromPartial({ pageToken });
      const page = await connection.call(ImportServiceService.listImports, request);
      return { entries: page.imports, nextPageToken: page.nextPageToken };
    });
    output.answer(ListImportsResponse.toJSON({ imports, nextPageToken: '' }), () => output.table(importTable(imports)));
  });
}

function importTable(imports: readonly Import[]): Table {
  return {
    columns: [{ name: 'file' }, { name: 'size', align: 'right' }, { name: 'imported' }],
    rows: imports.map(({ file, bytes, createTime }) => [file, formatBytes(bytes), formatDate(createTime)]),
  };
}
