import { join } from 'node:path';
import type { EvaluationReport } from '../../../proto/gen/accrete/v1/evaluation.ts';
import { EventFile, type Scalars } from './event-file.ts';

/** Learning curves of models as runs of TensorBoard: a folder for each model. */
export class Curves {
  readonly #folder: string;
  readonly #files = new Map<string, EventFile>();
  readonly #last = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Figures of a model that has learned so many ratings; nothing if it learned none since. */
  add(model: string, step: number, scalars: Scalars): void {
    const isNew = this.#last.get(model) !== step && Object.keys(scalars).length > 0;
    if (!isNew) return;
    this.#last.set(model, step);
    this.#fileOf(model).add(step, scalars);
  }

  /** How figures moved while models learned, and what a report found in the end. */
  addReport({ series, rows }: EvaluationReport): void {
    for (const { model, metric, points } of series)
      for (const { count, value } of points) this.#fileOf(model).add(Number(count), { [`curve/${metric}`]: value });
    for (const { model, metric, window, segment, count, value } of rows) {
      const name = ['report', metric, window, segment].filter((part) => part !== '').join('/');
      this.#fileOf(model).add(Number(count), { [name]: value });
    }
  }

  /** How many models have a file. */
  get runs(): number {
    return this.#files.size;
  }

  #fileOf(model: string): EventFile {
    const file = this.#files.get(model) ?? new EventFile(join(this.#folder, model));
    this.#files.set(model, file);
    return file;
  }
}
