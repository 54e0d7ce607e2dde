import { NO_ROW } from '../../plugins/contract/index.ts';
import { AccreteError } from '../errors.ts';
import type { Model } from '../models/model.ts';
import type { ModelDirectory } from './model-directory.ts';

/** Who answers a request: the model that was asked, or one that steps in for it. */

/** Whose list is to be ranked: rows, of users or items. */
export type Asker =
  | { readonly type: 'user'; readonly row: number }
  | { readonly type: 'item'; readonly row: number }
  | { readonly type: 'session'; readonly rows: Uint32Array };

/** Why another model answered: it knows nothing live of the user or the items, does not answer, or cannot rank for this subject. */
export type FallbackReason = '' | 'UNKNOWN_USER' | 'UNKNOWN_ITEM' | 'MODEL_NOT_AVAILABLE' | 'CAPABILITY_MISSING';

export interface Answerer {
  /** The model that was named, or the default; undefined where that does not answer. */
  readonly asked: Model | undefined;
  /** Undefined: no model can; counts of ratings step in. */
  readonly model: Model | undefined;
  readonly fallbackReason: FallbackReason;
  /** For whom it ranks: who asked, or someone unknown where it has nothing to go by. */
  readonly ranksFor: Asker;
}

const CAPABILITY = { user: 'score', item: 'similar', session: 'session' } as const;
const STRANGER: Asker = { type: 'user', row: NO_ROW };

/**
 * `name`: the model that was asked, "" for the default, or for `standIn`. One that was named and cannot rank for this subject
 * is an error; in place of the others another one answers. Throws MODEL_NOT_FOUND, MODEL_FAILED, CAPABILITY_MISSING.
 */
export function chooseAnswerer(directory: ModelDirectory, name: string, asker: Asker, standIn = ''): Answerer {
  const asked = name === '' ? findUnnamed(directory, standIn) : directory.require(name);
  if (name !== '' && asked && !isCapable(asked, asker)) throw missing(directory, asked, asker);
  const fallbackReason = reasonNotTo(asked, asker);
  const model = fallbackReason === '' ? asked : findSubstitute(directory, asked, asker);
  const isKnown = model?.scorer[CAPABILITY[asker.type]] !== undefined && knows(model, asker);
  return { asked, model, fallbackReason, ranksFor: isKnown ? asker : STRANGER };
}

function findUnnamed(directory: ModelDirectory, standIn: string): Model | undefined {
  return standIn === '' ? directory.findDefault() : directory.models.find(({ name }) => name === standIn);
}

/** One that knows the items; else, and for users, one that needs to know nobody. */
function findSubstitute(directory: ModelDirectory, asked: Model | undefined, asker: Asker): Model | undefined {
  const alive = directory.substitutes.filter(isAlive);
  const able = alive.filter((candidate) => isCapable(candidate, asker));
  if (able.length === 0 && asker.type === 'item') throw missing(directory, asked, asker);
  const knowing = asker.type === 'user' ? undefined : able.find((candidate) => reasonNotTo(candidate, asker) === '');
  return knowing ?? alive.find(isForStrangers);
}

function reasonNotTo(model: Model | undefined, asker: Asker): FallbackReason {
  if (!model || !isAlive(model)) return 'MODEL_NOT_AVAILABLE';
  if (!isCapable(model, asker)) return 'CAPABILITY_MISSING';
  if (knows(model, asker) || (asker.type !== 'item' && isForStrangers(model))) return '';
  return asker.type === 'user' ? 'UNKNOWN_USER' : 'UNKNOWN_ITEM';
}

/** Whether the model has something to go by; what it would say otherwise is where its rows happened to start. */
function knows(model: Model, asker: Asker): boolean {
  if (asker.type === 'user') return model.knowsUser(asker.row);
  if (asker.type === 'item') return model.knowsItem(asker.row);
  return asker.rows.some((row) => model.knowsItem(row));
}

/** One in quarantine learns no more, and its numbers may mean nothing. */
export function isAlive({ prequential }: Model): boolean {
  return prequential.quarantinedAt === 0;
}

/** A model whose ranking needs no known user ranks for every session alike. */
function isCapable({ scorer, ranksStrangers }: Model, { type }: Asker): boolean {
  return scorer[CAPABILITY[type]] !== undefined || (type === 'session' && ranksStrangers);
}

function isForStrangers({ ranksStrangers }: Model): boolean {
  return ranksStrangers;
}

function missing({ models }: ModelDirectory, model: Model | undefined, asker: Asker): AccreteError {
  const capability = CAPABILITY[asker.type];
  const able = models.filter((candidate) => isAlive(candidate) && isCapable(candidate, asker)).map(({ name }) => name);
  const who =
    model && !isCapable(model, asker) ? `Model ${model.name} does not rank by ${asker.type}` : `No model can answer`;
  const remedy = able.length > 0 ? `ask ${able.join(', ')}` : 'load a model that does (see capabilities in ListModels)';
  return new AccreteError('CAPABILITY_MISSING', `${who}: ${remedy}`, {
    metadata: { ...(model && { model: model.name }), capability },
  });
}
