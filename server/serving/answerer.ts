import { AccreteError } from '../errors.ts';
import type { Model } from '../models/model.ts';
import type { ModelDirectory } from './model-directory.ts';

/** Who answers a request: the model that was asked, or one that steps in for it. */

/** Whose list is to be ranked: rows, of users or items. */
export type Asker =
  | { readonly type: 'user'; readonly row: number }
  | { readonly type: 'item'; readonly row: number }
  | { readonly type: 'session'; readonly rows: Uint32Array };

/** Why another model answered: the model knows nothing live of the user, does not answer, or cannot rank for this subject. */
export type FallbackReason = '' | 'UNKNOWN_USER' | 'MODEL_NOT_AVAILABLE' | 'CAPABILITY_MISSING';

export interface Answerer {
  /** Undefined: no model can; counts of ratings step in. */
  readonly model: Model | undefined;
  readonly fallbackReason: FallbackReason;
}

const CAPABILITY = { user: 'score', item: 'similar', session: 'session' } as const;

/**
 * `name`: the model that was asked, "" for the default. One that was named and cannot rank for this subject is an error;
 * in place of the default another one answers. Throws MODEL_NOT_FOUND, MODEL_FAILED, CAPABILITY_MISSING.
 */
export function chooseAnswerer(directory: ModelDirectory, name: string, asker: Asker): Answerer {
  const asked = name === '' ? directory.findDefault() : directory.require(name);
  if (name !== '' && asked && !isCapable(asked, asker)) throw missing(directory, asked, asker);
  const fallbackReason = reasonNotTo(asked, asker);
  if (fallbackReason === '') return { model: asked, fallbackReason };
  const model = directory.models.find(
    (candidate) =>
      isAlive(candidate) && isCapable(candidate, asker) && (asker.type !== 'user' || isForStrangers(candidate)),
  );
  if (!model && asker.type === 'item') throw missing(directory, asked, asker);
  return { model, fallbackReason };
}

function reasonNotTo(model: Model | undefined, asker: Asker): FallbackReason {
  if (!model || !isAlive(model)) return 'MODEL_NOT_AVAILABLE';
  if (!isCapable(model, asker)) return 'CAPABILITY_MISSING';
  if (asker.type !== 'user' || isForStrangers(model)) return '';
  return model.knows(asker.row) ? '' : 'UNKNOWN_USER';
}

function isAlive({ prequential }: Model): boolean {
  return prequential.quarantinedAt === 0;
}

/** A model whose ranking needs no known user ranks for every session alike. */
function isCapable({ scorer, plugin }: Model, { type }: Asker): boolean {
  return scorer[CAPABILITY[type]] !== undefined || (type === 'session' && plugin.ranksStrangers === true);
}

function isForStrangers({ plugin }: Model): boolean {
  return plugin.ranksStrangers === true;
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
