import { Item, UpsertItemsRequest } from '../../proto/gen/accrete/v1/catalog.ts';
import type { Embedding } from '../../proto/gen/accrete/v1/feature.ts';
import { UpsertUsersRequest, User } from '../../proto/gen/accrete/v1/user.ts';
import type { Timestamp } from '../../proto/gen/google/protobuf/timestamp.ts';
import type { AttributeValue, FeatureValues } from '../memory/features/feature-values.ts';

/** Decodes `UpsertItemsRequest` and `UpsertUsersRequest`, whose fields were checked, for those who keep what they say. */

export interface FeatureRequest {
  readonly validateOnly: boolean;
  readonly entries: readonly FeatureEntry[];
}

export interface FeatureEntry {
  readonly id: string;
  /** What is known from now on; `before`: the message that was known until now, if any. */
  merge(before: Uint8Array | undefined): FeatureValues;
}

export function decodeItems(bytes: Uint8Array): FeatureRequest {
  const { items, updateMask, validateOnly } = UpsertItemsRequest.decode(bytes);
  const entries = items.map((item) => ({
    id: item.itemId,
    merge: (before: Uint8Array | undefined) =>
      itemValues(merge(Item, { itemId: item.itemId }, before, item, updateMask)),
  }));
  return { validateOnly, entries };
}

export function decodeUsers(bytes: Uint8Array): FeatureRequest {
  const { users, updateMask, validateOnly } = UpsertUsersRequest.decode(bytes);
  const entries = users.map((user) => ({
    id: user.userId,
    merge: (before: Uint8Array | undefined) =>
      userValues(merge(User, { userId: user.userId }, before, user, updateMask)),
  }));
  return { validateOnly, entries };
}

interface MessageType<Message> {
  decode(bytes: Uint8Array): Message;
  fromPartial(fields: object): Message;
}

/**
 * The fields that `mask` names (`available_from`) as `message` has them, the others as before: of one of whom nothing
 * was known, as `nothing` has them. Without a mask, all.
 */
function merge<Message extends object>(
  type: MessageType<Message>,
  nothing: object,
  before: Uint8Array | undefined,
  message: Message,
  mask: readonly string[] | undefined,
): Message {
  if (mask === undefined || mask.length === 0) return message;
  const named = Object.fromEntries(mask.map(nameOf).map((name) => [name, message[name as keyof Message]]));
  return { ...(before ? type.decode(before) : type.fromPartial(nothing)), ...named };
}

/** `available_from` as `availableFrom`; the generated code decodes masks to either. */
function nameOf(path: string): string {
  return path.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

function itemValues(item: Item): FeatureValues {
  const { categories, labels, attributes, embeddings, available, availableFrom, availableUntil } = item;
  return {
    message: Item.encode(item).finish(),
    categories,
    labels,
    attributes: attributesOf(attributes),
    embeddings: lengthsOf(embeddings),
    available: available ?? true,
    fromSeconds: availableFrom ? secondsOf(availableFrom) : 0,
    untilSeconds: availableUntil ? secondsOf(availableUntil) : Number.POSITIVE_INFINITY,
  };
}

function userValues(user: User): FeatureValues {
  return {
    message: User.encode(user).finish(),
    categories: [],
    labels: user.labels,
    attributes: attributesOf(user.attributes),
    embeddings: lengthsOf(user.embeddings),
    available: true,
    fromSeconds: 0,
    untilSeconds: Number.POSITIVE_INFINITY,
  };
}

/** What says nothing (null) is left out. */
function attributesOf(attributes: Readonly<Record<string, unknown>> = {}): Map<string, AttributeValue> {
  const known = Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined);
  return new Map(known as [string, AttributeValue][]);
}

function lengthsOf(embeddings: Readonly<Record<string, Embedding>>): Map<string, number> {
  return new Map(Object.entries(embeddings).map(([name, { values }]) => [name, values.length]));
}

function secondsOf({ seconds, nanos }: Timestamp): number {
  return Number(seconds) + nanos * 1e-9;
}
