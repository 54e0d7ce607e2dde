import { Reference as Ratings } from '../../integration/kinds-reference.ts';
import type { Rating } from '../../laws/lab.ts';

/** What a server should know after some calls, in plain objects. */

export interface Told {
  readonly title: string;
  readonly labels: readonly string[];
}

const VERSIONS_KEPT = 4;

const NOTHING: Told = { title: '', labels: [] };

export class Reference {
  readonly ratings = new Ratings();
  /** In the order in which they became known; deleted ones keep their place. */
  readonly items: string[] = [];
  readonly deleted = new Set<string>();
  readonly toldOfItems = new Map<string, Told>();
  readonly users = new Set<string>();
  readonly toldOfUsers = new Map<string, readonly string[]>();
  readonly models = new Set<string>();
  defaultModel: string;
  /** Versions of the model that is refitted, the one that serves last. */
  versions: readonly string[] = ['1'];
  /** Whether anyone was forgotten: then what is learned from the journal anew may have other bytes. */
  isRewritten = false;
  /** Whether a start has to learn the journal from its first record, since no checkpoint has all models. */
  isUnsaved = false;
  /** Users who came in crowds, each once. */
  readonly crowd: string[] = [];
  /** The model of each scenario. */
  readonly scenarios = new Map<string, string>();
  #clock = 1_000_000_000;

  constructor(models: readonly string[], defaultModel: string) {
    for (const model of models) this.models.add(model);
    this.defaultModel = defaultModel;
  }

  /** A time that no other rating has, by which it is told from them. */
  tick(): number {
    return ++this.#clock;
  }

  rate(ratings: readonly Rating[]): void {
    for (const rating of ratings) {
      this.ratings.take(rating);
      if (!rating.retract) this.#meet(rating.user, rating.item);
    }
  }

  /** `only` the labels: the title stays. */
  tellOfItem(item: string, told: Told, only: boolean): void {
    const before = this.toldOfItems.get(item) ?? NOTHING;
    this.#meet(undefined, item);
    this.deleted.delete(item);
    this.toldOfItems.set(item, only ? { ...before, labels: told.labels } : told);
  }

  tellOfUser(user: string, labels: readonly string[]): void {
    this.#meet(user, undefined);
    this.toldOfUsers.set(user, labels);
  }

  /** `version` serves from now on. */
  promote(version: string): void {
    const others = this.versions.filter((each) => each !== version);
    this.versions = [...others, version].slice(-VERSIONS_KEPT);
  }

  forget(user: string): void {
    this.ratings.forget(user);
    this.users.delete(user);
    this.toldOfUsers.delete(user);
    this.isRewritten = true;
  }

  deleteItem(item: string): void {
    if (!this.items.includes(item)) return;
    this.deleted.add(item);
    this.toldOfItems.delete(item);
  }

  /** Why a model cannot be unloaded, as the reason of the refusal; undefined: it can. */
  findUse(model: string): string | undefined {
    if (!this.models.has(model)) return 'MODEL_NOT_FOUND';
    const isUsed = model === this.defaultModel || [...this.scenarios.values()].includes(model);
    return isUsed ? 'MODEL_IN_USE' : undefined;
  }

  get listedItems(): string[] {
    return this.items.filter((item) => !this.deleted.has(item));
  }

  /** What may be recommended to a user. */
  offered(user: string): string[] {
    return this.listedItems.filter((item) => !this.ratings.hasSeen(user, item));
  }

  #meet(user: string | undefined, item: string | undefined): void {
    if (user !== undefined) this.users.add(user);
    if (item !== undefined && !this.items.includes(item)) this.items.push(item);
  }
}
