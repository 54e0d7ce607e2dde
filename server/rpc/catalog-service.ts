import {
  CatalogServiceService,
  type DeleteItemsRequest,
  DeleteItemsResponse,
  type GetItemRequest,
  GetItemResponse,
  Item,
  type ListItemsRequest,
  ListItemsResponse,
  UpsertItemsRequest,
  UpsertItemsResponse,
} from '../../proto/gen/accrete/v1/catalog.ts';
import { AccreteError } from '../errors.ts';
import { ASK } from '../exchange/messages.ts';
import { revisionText } from '../memory/revisions.ts';
import type { Known } from '../serving/catalogue.ts';
import { parseFilter } from '../serving/filter/parse.ts';
import { findPagePosition, isNumber, makePageToken, WRONG_TOKEN } from '../serving/page-token.ts';
import type { Gate, Serving } from '../serving/serving.ts';
import type { CallTelemetry } from './call-telemetry.ts';
import { encodeMessage } from './encoding.ts';
import { checkItem, checkList, checkMask, ITEM_FIELDS, UPSERT_MAX } from './feature-fields.ts';
import { Fields } from './fields.ts';
import type { Limits } from './limits.ts';
import { type CallContext, type Rules, type ServedService, serveMethods, unary } from './service.ts';

const RULES: Rules<typeof CatalogServiceService> = {
  upsertItems: 'write',
  getItem: 'read',
  listItems: 'read',
  deleteItems: 'write',
};

/** CatalogService: what is known of items. */
export function catalogService(gate: Gate, limits: Limits, telemetry: CallTelemetry): ServedService {
  const enter = (call: CallContext) => gate.enter(() => call.signal);
  const methods = {
    upsertItems: unary(UpsertItemsResponse, async (request: UpsertItemsRequest, call) =>
      upsertItems(request, await enter(call)),
    ),
    getItem: unary(GetItemResponse, async (request: GetItemRequest, call) => getItem(request, await enter(call))),
    listItems: unary(ListItemsResponse, async (request: ListItemsRequest, call) =>
      listItems(request, await enter(call), limits),
    ),
    deleteItems: unary(DeleteItemsResponse, async (request: DeleteItemsRequest, call) =>
      deleteItems(request, await enter(call)),
    ),
  };
  return serveMethods(CatalogServiceService, RULES, methods, telemetry);
}

async function upsertItems(request: UpsertItemsRequest, { queue }: Serving): Promise<UpsertItemsResponse> {
  const fields = new Fields();
  const ids = request.items.map(({ itemId }) => itemId);
  if (checkList(fields, 'items', ids))
    for (const [n, item] of request.items.entries()) checkItem(fields, `items[${n}]`, item);
  checkMask(fields, request.updateMask, ITEM_FIELDS);
  fields.check();
  const {
    revision,
    created = 0,
    updated = 0,
  } = await queue.send(ASK.items, encodeMessage(UpsertItemsRequest, request));
  return { revision, createdCount: created, updatedCount: updated };
}

function getItem({ itemId }: GetItemRequest, { catalogue, revisions }: Serving): GetItemResponse {
  const fields = new Fields();
  fields.id('item_id', itemId);
  fields.check();
  const revision = revisionText(revisions.learned);
  const known = catalogue.findItem(itemId);
  if (!known) {
    throw new AccreteError(
      'ITEM_NOT_FOUND',
      `There is no item ${JSON.stringify(itemId)}: nobody rated it or told of it, or it was deleted`,
      {
        metadata: { item_id: itemId },
      },
    );
  }
  return { item: itemOf(known), ratingCount: BigInt(known.ratings), revision };
}

const LIST_PAGE_SIZE = 100;

function listItems(request: ListItemsRequest, { catalogue }: Serving, limits: Limits): ListItemsResponse {
  const { filter, pageToken } = request;
  const fields = new Fields();
  const size = fields.pageSize(request.pageSize, LIST_PAGE_SIZE, limits.pageSize);
  const scope = ['ListItems', filter];
  const after = pageToken === '' ? -1 : findPagePosition(scope, pageToken, isNumber);
  if (after === undefined) fields.refuse('page_token', WRONG_TOKEN);
  fields.check();
  const { items, last } = catalogue.page(parseFilter(filter), Number(after), size);
  return { items: items.map(itemOf), nextPageToken: last === undefined ? '' : makePageToken(scope, last) };
}

async function deleteItems(
  { itemIds, validateOnly }: DeleteItemsRequest,
  { queue }: Serving,
): Promise<DeleteItemsResponse> {
  const fields = new Fields();
  if (itemIds.length === 0) fields.refuse('item_ids', `is empty: send 1 to ${UPSERT_MAX} ids`);
  fields.ids('item_ids', itemIds, UPSERT_MAX);
  fields.check();
  const { revision, deleted = 0 } = await queue.change({ type: 'itemsDeleted', itemIds, validateOnly });
  return { revision, deletedCount: deleted };
}

function itemOf({ id, message }: Known): Item {
  return message ? Item.decode(message) : Item.fromPartial({ itemId: id });
}
