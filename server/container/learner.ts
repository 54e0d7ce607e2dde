import { randomInt } from 'node:crypto';
import type { Container } from 'inversify';
import type { Config } from '../config/schema.ts';
import type { LearnerNews } from '../exchange/messages.ts';
import { Beginning } from '../learning/beginning.ts';
import { Captures } from '../learning/captures.ts';
import { Cohorts } from '../learning/cohorts.ts';
import { Decisions } from '../learning/decisions.ts';
import { FeatureIntake } from '../learning/feature-intake.ts';
import { ForgetIntake } from '../learning/forget-intake.ts';
import { Intake, type Lane } from '../learning/intake.ts';
import { Learner } from '../learning/learner.ts';
import { noteLost } from '../learning/lost-worlds.ts';
import { changesOf, type Plan, planStart } from '../learning/plan.ts';
import { readPast } from '../learning/read-past.ts';
import { Room } from '../learning/room.ts';
import {
  type Base,
  chooseBase,
  decidedIn,
  findAnew,
  findBase,
  noteBeginners,
} from '../learning/starting-checkpoint.ts';
import { Arena } from '../memory/arena.ts';
import type { IdKey } from '../memory/ids.ts';
import { Bell, Ring } from '../memory/ring.ts';
import { Scale } from '../memory/scale.ts';
import { WritableWorld } from '../memory/world.ts';
import type { ModelHost } from '../models/model.ts';
import { Peers } from '../models/peers.ts';
import { CheckpointFolder } from '../store/checkpoints/checkpoint-folder.ts';
import { describeSaved, type Saved } from '../store/checkpoints/save.ts';
import { DamageMark } from '../store/damage-mark.ts';
import type { Deployment } from '../store/deployment.ts';
import { Notes } from '../store/forget/notes.ts';
import type { Journal } from '../store/journal.ts';
import { LmdbJournal } from '../store/lmdb-journal.ts';
import { ImportFolder } from '../store/models/import-folder.ts';
import { RatingRules } from '../store/rating-rules.ts';
import { Classrooms } from '../teaching/classrooms.ts';
import { preloadCohorts } from '../teaching/preload.ts';
import { Teacher, type TeacherOptions } from '../teaching/teacher.ts';
import { tidyDrafts } from '../teaching/version-folders.ts';
import type { LearnerRings } from './server.ts';
import {
  ARENA,
  COUNTERS,
  composeShared,
  journalFolder,
  KERNELS,
  REVISIONS,
  SCALE,
  stateFolder,
  token,
} from './shared.ts';

/** What the learner thread starts with. */
export interface LearnerStart {
  readonly config: Config;
  readonly memory: WebAssembly.Memory;
  readonly rings: LearnerRings;
  /** Paths of the settings that file, environment or flags set. */
  readonly explicit: readonly string[];
}

export const LEARNER = token<Learner>('Learner');
export const PLAN = token<Plan>('Plan');
export const JOURNAL = token<Journal>('Journal');
export const WRITABLE_WORLD = token<WritableWorld>('WritableWorld');
export const TEACHER = token<Teacher>('Teacher');
export const CLASSROOMS = token<Classrooms>('Classrooms');
export const CAPTURES = token<Captures>('Captures');
export const CHECKPOINTS = token<CheckpointFolder>('CheckpointFolder');
/** The checkpoint that the start begins from. */
export const RESTORED = token<Saved | undefined>('Saved');
/** Up to which record of those before it nobody has read them. */
export const UNREAD = token<number>('Last record that is not read');
/** Of the models that learn. */
const HOST = token<ModelHost & { readonly world: WritableWorld }>('ModelHost');
const BEGINNING = token<Beginning>('Beginning');
const COHORTS = token<Cohorts>('Cohorts');
const INTAKE = token<Intake>('Intake');
const DECISIONS = token<Decisions>('Decisions');

type Tell = (news: LearnerNews) => void;

/** The thread that learns: `container.get(LEARNER)`. Reads what the journal decided; throws what that throws. */
export async function composeLearner(
  { config, memory, rings, explicit }: LearnerStart,
  tell: Tell,
): Promise<Container> {
  const { data, limits } = config;
  const arena = new Arena(memory);
  const container = composeShared(config, arena);
  const directory = journalFolder(data);
  const journal = await LmdbJournal.open({ directory, linkBytes: config.journal.linkMiB * 2 ** 20 });
  const begun = await begin(container, journal, config, new Set(explicit), tell);
  const { plan } = begun;
  const { rating } = plan.deployment;
  arena.undo.reserve(arena.budgetBytes, (bytes) => arena.allocate(bytes));
  container.bind(SCALE).toDynamicValue(() => new Scale(rating.min, rating.max));
  bindTeaching(container, begun, journal, data, tell);
  container.bind(DECISIONS).toDynamicValue(
    (context) =>
      new Decisions({
        host: context.get(HOST),
        teacher: context.get(TEACHER),
        classrooms: context.get(CLASSROOMS),
        revisions: context.get(REVISIONS),
        deployment: plan.deployment,
        ratingsMax: limits.ratingsPerBatch,
      }),
  );
  container.bind(CAPTURES).toDynamicValue((context) => {
    const decisions = context.get(DECISIONS);
    return new Captures({
      arena,
      classrooms: context.get(CLASSROOMS),
      deployment: () => decisions.deployment,
      revisions: context.get(REVISIONS),
    });
  });
  container.bind(INTAKE).toDynamicValue((context) => {
    const { ratingsPerBatch: ratingsMax } = limits;
    const teacher = context.get(TEACHER);
    return new Intake({
      lanes: openLanes(arena, rings),
      rules: makeRules(plan.deployment, ratingsMax, context.get(WRITABLE_WORLD)),
      ratingsMax,
      world: context.get(WRITABLE_WORLD),
      models: () => teacher.models,
      room: new Room({ classrooms: context.get(CLASSROOMS), arena }),
      counters: context.get(COUNTERS),
      onFault: (error) => tell({ type: 'fault', stack: String((error as Error).stack) }),
    });
  });
  container.bind(LEARNER).toDynamicValue(
    (context) =>
      new Learner({
        journal,
        world: context.get(WRITABLE_WORLD),
        teacher: context.get(TEACHER),
        classrooms: context.get(CLASSROOMS),
        intake: context.get(INTAKE),
        bell: new Bell(arena, rings.bell),
        revisions: context.get(REVISIONS),
        kernels: context.get(KERNELS),
        counters: context.get(COUNTERS),
        decisions: context.get(DECISIONS),
        forgetIntake: new ForgetIntake(context.get(WRITABLE_WORLD), journal),
        featureIntake: new FeatureIntake(context.get(CLASSROOMS), arena),
        changes: changesOf(plan),
        beginning: context.get(BEGINNING),
        cohorts: context.get(COHORTS),
        captures: context.get(CAPTURES),
        tell,
      }),
  );
  return container;
}

/** The world, and who teaches it and its models. */
function bindTeaching(container: Container, begun: Begun, journal: Journal, data: string, tell: Tell): void {
  const { plan, base, anew, folder } = begun;
  container.bind(WRITABLE_WORLD).toDynamicValue(() => WritableWorld.create(container.get(ARENA), randomInt(2 ** 32)));
  container.bind(HOST).toDynamicValue((context) => {
    const world = context.get(WRITABLE_WORLD);
    return { arena: context.get(ARENA), world, scale: context.get(SCALE), peers: new Peers() };
  });
  container.bind(BEGINNING).toDynamicValue((context) => {
    const host = context.get(HOST);
    const onGone = (why: string) => tell({ type: 'damaged', why });
    return new Beginning({ plan, base, anew, checkpoints: folder, journal, state: stateFolder(data), host, onGone });
  });
  const options: TeacherOptions = {
    rankEvery: plan.deployment.evaluation.rankEvery,
    onQuarantine: ({ name }, why, cohort) => tell({ type: 'quarantined', model: name, why: String(why), cohort }),
    onDrift: ({ name }, drift, cohort) => tell({ type: 'drifted', model: name, drift, cohort }),
  };
  container.bind(TEACHER).toDynamicValue((context) => {
    const models = context.get(BEGINNING).makeModels();
    return new Teacher(context.get(HOST), context.get(KERNELS), models, options);
  });
  container.bind(CLASSROOMS).toDynamicValue((context) => {
    const { arena, scale, world } = context.get(HOST);
    return new Classrooms(world, context.get(TEACHER), { arena, scale, options });
  });
  container.bind(COHORTS).toDynamicValue((context) => {
    const { deployment } = plan;
    return new Cohorts({ classrooms: context.get(CLASSROOMS), checkpoints: folder, base, deployment });
  });
}

function makeRules({ rating, kinds }: Deployment, ratingsMax: number, { events }: WritableWorld): RatingRules {
  const hadEvents = (kind: IdKey) => events.findKind(kind) >= 0;
  return new RatingRules({ ...rating, ratingsMax, kinds: Object.keys(kinds), hadEvents });
}

function openLanes(arena: Arena, { lanes }: LearnerRings): Lane[] {
  return lanes.map(({ asks, answers }) => ({ asks: new Ring(arena, asks), answers: new Ring(arena, answers) }));
}

interface Begun {
  readonly plan: Plan;
  readonly base: Base | undefined;
  readonly anew: ReadonlySet<string>;
  readonly folder: CheckpointFolder;
}

/** Tells how far reading is, if it takes long. */
function everySecond(tell: Tell, lastRevision: number): (revision: number) => void {
  let told = performance.now();
  let records = 0;
  return (revision) => {
    // The clock is looked at now and then.
    if (++records % 1024 > 0 || performance.now() - told < 1000) return;
    told = performance.now();
    tell({ type: 'replaying', revision, lastRevision });
  };
}

/** What the start begins with: what the journal decided, and the checkpoint that its models can go on from. */
async function begin(
  container: Container,
  journal: Journal,
  config: Config,
  explicit: Set<string>,
  tell: Tell,
): Promise<Begun> {
  // Nobody writes yet: what is not finished is of a process that was killed.
  new Notes(config.data).tidy();
  tidyDrafts(stateFolder(config.data));
  new ImportFolder(config.data).tidy();
  const folder = new CheckpointFolder(stateFolder(config.data));
  const damaged: number[] = [];
  const found = findBase(folder, journal, ({ message }, revision) => {
    tell({ type: 'damaged', why: message });
    damaged.push(revision);
  });
  // Or each would count as one of the two that are kept.
  for (const revision of damaged) folder.setAside(revision);
  const before = found && { revision: found.revision, decided: decidedIn(found) };
  const wanted = await planStart(journal, config, explicit, before);
  const anew = findAnew(folder, journal, found, wanted, (why) => tell({ type: 'damaged', why }));
  if (found) await preloadCohorts(found);
  const base = found && anew.size === 0 ? chooseBase(folder, journal, found, wanted) : undefined;
  if (base) await preloadCohorts(base.manifest);
  const onLost = (why: string) => tell({ type: 'damaged', why });
  const plan = base ? noteLost(noteBeginners(wanted, base), base, journal.firstRevision, onLost) : wanted;
  const mark = new DamageMark(journalFolder(config.data));
  const pace = config.journal.checkMiBPerSecond * 2 ** 20;
  const last = base?.manifest.revision ?? 0;
  const unread = pace > 0 ? readPast(journal, mark, pace, last, everySecond(tell, last)) : 0;
  container.bind(JOURNAL).toConstantValue(journal);
  container.bind(UNREAD).toConstantValue(unread);
  container.bind(PLAN).toConstantValue(plan);
  container.bind(CHECKPOINTS).toConstantValue(folder);
  container.bind(RESTORED).toConstantValue(base && describeSaved(base.manifest, folder));
  return { plan, base, anew, folder };
}
