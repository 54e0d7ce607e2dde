import {
  ListModelsRequest,
  type Model,
  ModelServiceService,
  modelStateToJSON,
} from '../../proto/gen/accrete/v1/model.ts';
import type { Connection } from './connection.ts';
import { collectPages } from './paging.ts';

/** All models of a server, by name. */
export async function listModels(connection: Connection): Promise<Model[]> {
  const { entries } = await collectPages(async (pageToken) => {
    const page = await connection.call(ModelServiceService.listModels, ListModelsRequest.fromPartial({ pageToken }));
    return { entries: page.models, nextPageToken: page.nextPageToken };
  });
  return entries;
}

/** MODEL_STATE_AVAILABLE as AVAILABLE. */
export function stateNameOf({ state }: Model): string {
  return modelStateToJSON(state).replace('MODEL_STATE_', '');
}
