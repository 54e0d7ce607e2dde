import { AccreteError } from '../errors.ts';
import type { Model } from '../models/model.ts';

/** The models that a serving thread answers from. */
export class ModelDirectory {
  readonly models: readonly Model[];
  readonly defaultModel: Model;

  /** `defaultName`: the model of requests that name none; the first one when it is undefined. */
  constructor(models: readonly Model[], defaultName: string | undefined) {
    this.models = models;
    this.defaultModel = defaultName === undefined ? models[0] : this.require(defaultName);
  }

  /** The model of that name, or the default for "". Throws MODEL_NOT_FOUND. */
  require(name: string): Model {
    if (name === '') return this.defaultModel;
    const model = this.models.find((candidate) => candidate.name === name);
    if (model) return model;
    const names = this.models.map((known) => known.name).join(', ');
    throw new AccreteError('MODEL_NOT_FOUND', `There is no model ${JSON.stringify(name)}; loaded are ${names}`, {
      metadata: { model: name },
    });
  }

  /** The model that answers for strangers and in place of one that cannot: the first that needs no known user. */
  findFallback(): Model | undefined {
    return this.models.find((model) => model.plugin.ranksStrangers && model.prequential.quarantinedAt === 0);
  }
}
