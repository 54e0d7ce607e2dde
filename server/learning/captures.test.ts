import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { Arena } from '../memory/arena.ts';
import type { FeatureValues } from '../memory/features/feature-values.ts';
import { TextKey } from '../memory/ids.ts';
import { loadHostKernels } from '../memory/kernels/host-kernels.ts';
import { DIGEST_BYTES } from '../memory/request-ids.ts';
import { Revisions } from '../memory/revisions.ts';
import { Scale } from '../memory/scale.ts';
import { WritableWorld } from '../memory/world.ts';
import { Peers } from '../models/peers.ts';
import { loadPlugin } from '../models/plugins.ts';
import { WritableModel } from '../models/writable-model.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import { saveCheckpoint } from '../store/checkpoints/save.ts';
import type { Deployment } from '../store/deployment.ts';
import { Classrooms } from '../teaching/classrooms.ts';
import { restoreWorld } from '../teaching/restoring.ts';
import { restoreModel } from '../teaching/state.ts';
import { Teacher } from '../teaching/teacher.ts';
import { Captures } from './captures.ts';

/** Whatever was done: a state that is saved and restored is the same, and goes on as if nothing had happened. */

const MIB = 2 ** 20;
const KINDS = { click: { weight: 0.5, hides: false }, buy: { weight: 2, hides: true } };
const DEPLOYMENT = { scenarios: new Map(), kinds: KINDS, models: [] } as unknown as Deployment;
const [mf, popularity] = await Promise.all([loadPlugin('mf'), loadPlugin('popularity')]);
const SPECS = [
  { plugin: mf, config: mf.config.parse({ k: 4, replay: { count: 2, scope: 'uniform' } }) },
  { plugin: popularity, config: popularity.config.parse({}) },
];
/** So small that it is full soon. */
const WINDOW = 7;

type Step =
  | { do: 'rate'; user: number; item: number; value: number }
  | { do: 'retract'; user: number; item: number }
  | { do: 'event'; user: number; item: number; kind: 'click' | 'buy'; value: number | undefined }
  | { do: 'undo'; user: number; item: number; kind: 'click' | 'buy' }
  | { do: 'remember'; id: number }
  | { do: 'tell'; of: 'users' | 'items'; row: number; label: number; bytes: number; timed: boolean }
  | { do: 'delete'; item: number }
  | { do: 'save' };

const id = fc.nat(6);
const kind = fc.constantFrom('click' as const, 'buy' as const);
const value = fc.integer({ min: 1, max: 5 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('rate' as const), user: id, item: id, value }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('retract' as const), user: id, item: id }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('event' as const),
      user: id,
      item: id,
      kind,
      value: fc.option(value, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('undo' as const), user: id, item: id, kind }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remember' as const), id }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      of: fc.constantFrom('users' as const, 'items' as const),
      row: id,
      label: fc.nat(20),
      bytes: fc.constantFrom(0, 100),
      timed: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), item: id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('save' as const) }) },
);

/** A memory with two models, as the learner has it. */
class Scene {
  readonly arena: Arena;
  readonly world: WritableWorld;
  readonly models: readonly WritableModel[];
  readonly #teacher: Teacher;
  readonly #captures: Captures;
  readonly #revisions: Revisions;
  readonly #folder: CheckpointFolder;
  readonly #kernels: ReturnType<typeof loadHostKernels>;

  constructor(path: string, budgetMiB: number, hashSeed: number) {
    this.arena = Arena.create(budgetMiB * MIB);
    this.arena.undo.reserve(this.arena.budgetBytes, (bytes) => this.arena.allocate(bytes));
    this.world = WritableWorld.create(this.arena, hashSeed);
    this.world.kinds.configure(KINDS);
    this.#kernels = loadHostKernels(this.arena.memory);
    const host = { arena: this.arena, world: this.world, scale: new Scale(1, 5), peers: new Peers() };
    this.models = SPECS.map(({ plugin, config }) => {
      const spec = { namespace: '', name: plugin.name, plugin: plugin.name, config };
      return WritableModel.create(host, plugin, spec, WINDOW);
    });
    const onQuarantine = (_model: WritableModel, why: unknown) => {
      throw why;
    };
    this.#teacher = new Teacher(host, this.#kernels, this.models, { rankEvery: 2, onQuarantine });
    this.#revisions = new Revisions(this.arena);
    this.#folder = new CheckpointFolder(path);
    const options = { rankEvery: 2, onQuarantine };
    this.#captures = new Captures({
      arena: this.arena,
      classrooms: new Classrooms(this.world, this.#teacher, { arena: this.arena, scale: host.scale, options }),
      deployment: () => DEPLOYMENT,
      revisions: this.#revisions,
    });
  }

  /** A checkpoint; `meanwhile` is done while it is written. */
  async save(meanwhile: readonly Step[] = []): Promise<void> {
    const capture = this.#captures.begin(false);
    const saving = saveCheckpoint(capture, { arena: this.arena, folder: this.#folder });
    for (const step of meanwhile) if (step.do !== 'save') this.take(step);
    await saving;
    this.#captures.end(true);
    // The next one needs a name of its own.
    this.#revisions.learned++;
  }

  restore(): void {
    const [revision] = this.#folder.revisions;
    const manifest = this.#folder.manifest(revision);
    restoreWorld(this.#folder, manifest, this.world);
    for (const model of this.models) restoreModel(this.#folder, manifest, model);
    this.#folder.close();
    this.#revisions.learned = revision + 1;
    this.#captures.begunFrom(revision);
  }

  take(step: Exclude<Step, { do: 'save' }>): void {
    const { world } = this;
    switch (step.do) {
      case 'rate':
        this.#teach(step.user, step.item, '', step.value, false);
        break;
      case 'retract':
        this.#teach(step.user, step.item, '', Number.NaN, true);
        break;
      case 'event':
        this.#teach(step.user, step.item, step.kind, step.value ?? Number.NaN, false);
        break;
      case 'undo':
        this.#teach(step.user, step.item, step.kind, Number.NaN, true);
        break;
      case 'remember': {
        const digest = new Uint8Array(DIGEST_BYTES).fill(step.id);
        const key = { id: Buffer.from(`request-${step.id}`), namespace: 0 };
        const entry = { ...key, digest, revision: 5 + step.id, accepted: 1, receivedAtMs: 1 };
        world.requestIds.add(entry, world.reclaimer);
        break;
      }
      case 'tell': {
        const features = step.of === 'users' ? world.userFeatures : world.itemFeatures;
        const row = world[step.of].obtain(keyOf(`${step.of}-${step.row}`), world.reclaimer);
        this.#teacher.grow();
        features.write(row, valuesOf(step), world.reclaimer);
        break;
      }
      case 'delete': {
        const row = world.items.find(keyOf(`items-${step.item}`));
        if (row >= 0) world.itemFeatures.remove(row, world.reclaimer);
      }
    }
  }

  /** Hashes over all bytes of state, and what can be read of it. */
  get state(): unknown {
    const { users, items, interactions, events, itemFeatures, requestIds } = this.world;
    const rows = (count: number) => Array.from({ length: count }, (_, row) => row);
    return {
      hashes: [this.world.hashes(this.#kernels), ...this.models.map((model) => model.hashes(this.#kernels))],
      found: rows(users.rows).map((row) => users.find(keyOf(users.text(row)))),
      missing: items.find(keyOf('nowhere')),
      pairs: rows(users.rows).map((user) => rows(items.rows).map((item) => interactions.find(user, item))),
      lists: rows(items.rows).map((row) => [interactions.byItem.count(row), events.byItem.count(row)]),
      kinds: ['click', 'buy', 'other'].map((name) => events.findKind(keyOf(name))),
      restricted: itemFeatures.availability.restrictedCount,
      terms: rows(21).map((n) => itemFeatures.terms.find(itemFeatures.terms.findField('labels'), `label-${n}`)),
      lengths: [4, 9].map((length) => itemFeatures.embeddingLength(`of-${length}`)),
      messages: rows(items.rows).map((row) => itemFeatures.message(row)),
      requests: rows(7).map((n) => requestIds.find({ id: Buffer.from(`request-${n}`), namespace: 0 }, 2)),
    };
  }

  #teach(user: number, item: number, kindName: string, ratingValue: number, retract: boolean): void {
    const lesson = {
      value: ratingValue,
      weight: 1,
      seconds: 1_000_000 + 1000 * item,
      nanos: 0,
      revision: 1,
      retract,
    };
    this.#teacher.teach({
      ...lesson,
      user: keyOf(`users-${user}`),
      item: keyOf(`items-${item}`),
      kind: keyOf(kindName),
    });
    this.world.reclaimer.collect();
  }
}

function keyOf(text: string): TextKey {
  const key = new TextKey();
  key.set(text);
  return key;
}

function valuesOf({ label, bytes, timed }: Extract<Step, { do: 'tell' }>): FeatureValues {
  const length = label % 2 === 0 ? 4 : 9;
  return {
    message: new Uint8Array(bytes).fill(label),
    categories: [],
    labels: [`label-${label}`],
    attributes: new Map([['year', label]]),
    embeddings: new Map([[`of-${length}`, length]]),
    available: label % 3 !== 0,
    fromSeconds: timed ? label : 0,
    untilSeconds: Number.POSITIVE_INFINITY,
  };
}

async function inFolder<T>(use: (path: string) => Promise<T>): Promise<T> {
  const path = mkdtempSync(join(tmpdir(), 'accrete-captures-'));
  try {
    return await use(path);
  } finally {
    rmSync(path, { recursive: true });
  }
}

test('saved, restored and gone on with: as if it had never stopped', async () => {
  const steps = (maxLength: number) => fc.array(anyStep, { minLength: maxLength / 2, maxLength, size: 'max' });
  await fc.assert(
    fc.asyncProperty(steps(80), steps(20), steps(40), steps(30), (before, between, meanwhile, after) =>
      inFolder(async (path) => {
        const [first, second] = [join(path, 'first'), join(path, 'second')];
        const scene = new Scene(first, 64, 1);
        for (const step of before) await (step.do === 'save' ? scene.save() : scene.take(step));
        await scene.save();
        const expected = scene.state;
        cpSync(first, second, { recursive: true });
        const restored = new Scene(second, 96, 2);
        restored.restore();
        // Of request ids there are as many as the budget lets.
        assert.deepEqual(withoutRequests(restored.state), withoutRequests(expected));
        for (const each of [scene, restored]) {
          // So that much is to be saved.
          for (const step of between) if (step.do !== 'save') each.take(step);
          const begun = each.state;
          await each.save(meanwhile);
          const saved = new Scene(each === scene ? first : second, 64, 4);
          saved.restore();
          if (each === scene) assert.deepEqual(saved.state, begun);
          else assert.deepEqual(withoutRequests(saved.state), withoutRequests(begun));
          for (const step of after) await (step.do === 'save' ? each.save() : each.take(step));
          await each.save();
        }
        const last = new Scene(second, 64, 3);
        last.restore();
        assert.deepEqual(withoutRequests(restored.state), withoutRequests(scene.state));
        assert.deepEqual(withoutRequests(last.state), withoutRequests(scene.state));
      }),
    ),
    { numRuns: 20 },
  );
});

function withoutRequests(state: unknown): unknown {
  const { hashes, ...rest } = state as { hashes: readonly Record<string, unknown>[] };
  return { ...rest, hashes: hashes.map(({ requestIds: _, ...others }) => others) };
}
