import {
  type DeleteImportRequest,
  DeleteImportResponse,
  ImportServiceService,
  type ListImportsRequest,
  ListImportsResponse,
} from '../../proto/gen/accrete/v1/import.ts';
import { invalidField } from '../errors.ts';
import type { Gate } from '../serving/serving.ts';
import { ImportFolder } from '../store/models/import-folder.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import type { Limits } from './limits.ts';
import { timestampOf } from './model-message.ts';
import { pageByName } from './name-pages.ts';
import { type CallContext, type Rules, type ServedService, serveMethods, unary } from './service.ts';

const RULES: Rules<typeof ImportServiceService> = {
  listImports: 'read',
  deleteImport: 'admin',
};

/** ImportService: which model files are kept, and which no more. */
export function importService(gate: Gate, limits: Limits, telemetry: CallTelemetry): ServedService {
  const enter = (call: CallContext) => gate.enter(() => call.signal);
  const methods = {
    listImports: unary(ListImportsResponse, async (request: ListImportsRequest, call) => {
      const { imports } = await enter(call);
      const all = new Map(imports.list().map((each) => [each.name, each]));
      const { entries, nextPageToken } = pageByName('ListImports', all, request, limits);
      return {
        imports: entries.map(({ name, bytes, createdMs }) => ({
          file: name,
          bytes: BigInt(bytes),
          createTime: timestampOf(createdMs),
        })),
        nextPageToken,
      };
    }),
    deleteImport: unary(DeleteImportResponse, async ({ file }: DeleteImportRequest, call) => {
      if (!ImportFolder.isName(file)) throw invalidField('file', 'is no name of an imported file: never send a path');
      await (await enter(call)).imports.remove(file);
      return {};
    }),
  };
  return serveMethods(ImportServiceService, RULES, methods, telemetry);
}
