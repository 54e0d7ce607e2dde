import { readMoments } from '../../server/experiments/arm-moments.ts';
import { makeExperiment } from '../../server/experiments/making.ts';
import { type ArmFigure, type Report, reportOf } from '../../server/experiments/report.ts';
import type { Draws } from '../../server/experiments/statistics/testing/draws.ts';
import { WANTED } from '../../server/experiments/testing/wanted.ts';
import { Arena } from '../../server/memory/arena.ts';
import { TextKey } from '../../server/memory/ids.ts';
import { prefixOfRun } from '../../server/memory/ledger/recommendation-id.ts';
import { WritableWorld } from '../../server/memory/world.ts';
import { type Assignment, Experiments } from '../../server/serving/experiments.ts';
import { Exposures } from '../../server/serving/exposures.ts';
import type { Experiment } from '../../server/store/experiment.ts';
import { decodeExposures, NO_ITEM } from '../../server/store/exposure-codec.ts';
import { Attribution, storeNumber } from '../../server/teaching/attribution.ts';
import type { Teacher } from '../../server/teaching/teacher.ts';
import { type Happening, type Lifts, lift, type Population } from './population.ts';

/** How an experiment goes. */
export interface Course {
  readonly population: Population;
  /** Of control and arm. */
  readonly weights: readonly [number, number];
  readonly lifts: Lifts;
  /** Users who are there at one time: an event is of any of them. */
  readonly crowd: number;
}

interface Visitor {
  readonly id: string;
  readonly happenings: readonly Happening[];
  next: number;
}

const STORE = 'simulated';
const BUDGET_MIB = 64;
const NAME = 'trial';

/**
 * The server's own experiment, without server: it assigns, names and encodes exposures, follows their records and what names
 * them into the ledger, and reports, all by the code that serves. What models expect is told, not learned.
 */
export class Lab {
  readonly #world = WritableWorld.create(Arena.create(BUDGET_MIB * 2 ** 20), 1);
  readonly #models = {
    isMeasured: true,
    models: [{ name: 'a' }, { name: 'b' }],
    predictions: new Float64Array(2),
    ranks: new Float64Array(2),
  };
  readonly #attribution = new Attribution(this.#world, this.#models as unknown as Teacher);
  readonly #user = new TextKey();
  readonly #nothing = new TextKey();
  readonly #exposures: Exposures;
  readonly #own: Uint8Array;
  #experiment: Experiment | undefined;
  #experiments: Experiments | undefined;

  constructor() {
    const queue = {
      offer: (_type: number, payload: Uint8Array) => {
        this.#attribution.expose(decodeExposures(payload));
        return true;
      },
    };
    this.#exposures = new Exposures({
      queue: queue as never,
      mark: { issue: () => {} } as never,
      store: storeNumber(STORE),
      onLost: () => {
        throw new Error('nothing is lost here');
      },
    });
    this.#own = Buffer.from(prefixOfRun(this.#exposures.run));
    this.#attribution.settle([], STORE);
  }

  /** Forgets the experiment before, and begins another one. */
  begin(salt: string, [control, arm]: readonly [number, number]): void {
    if (this.#experiment) this.#attribution.control({ type: 'experiment', name: NAME, experiment: null } as never);
    this.#experiment = makeExperiment(
      {
        ...WANTED,
        ...{ name: NAME, salt, startMs: 0, attributionWindowMs: 0 },
        arms: [
          { name: 'control', model: 'a', weight: control },
          { name: 'arm', model: 'b', weight: arm },
        ],
      },
      new Map(),
      Date.now(),
    );
    this.#attribution.control({ type: 'experiment', name: NAME, experiment: this.#experiment } as never);
    const byName = new Map([[NAME, this.#experiment]]);
    this.#experiments = new Experiments(
      { queue: {} as never, satisfies: () => undefined, cohorts: {} as never },
      byName,
    );
  }

  assign(userId: string): Assignment {
    return this.#experiments?.assign({ userId, context: {} }, Date.now()) as Assignment;
  }

  /** An answer, and what came of it: one rating, which names the answer if it is of what was clicked on. */
  happen(userId: string, assignment: Assignment, { clicked, value, expected, rank }: Happening): void {
    const id = this.#exposures.name(assignment, { userId, userRow: NO_ITEM, rows: [] });
    if (!clicked && Number.isNaN(value)) return;
    // As before every request that brings ratings.
    this.#exposures.precede(this.#own);
    const now = Date.now();
    this.#user.set(userId);
    this.#models.predictions.fill(expected);
    this.#models.ranks.fill(rank);
    this.#attribution.attribute(
      {
        user: this.#user,
        item: this.#nothing,
        kind: this.#nothing,
        retract: false,
        value,
        weight: 1,
        seconds: Math.floor(now / 1000),
        nanos: (now % 1000) * 1e6,
        revision: 1,
      },
      clicked ? id : '',
      now,
    );
  }

  report(): Report {
    this.#exposures.precede(this.#own);
    const { ledger } = this.#world;
    const experiment = this.#experiment as Experiment;
    const steps = readMoments(ledger, experiment);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return reportOf(ledger, experiment, value, 1);
    }
  }
}

/** One experiment: users arrive, and have the events of a real user each, among those of others who are there at the time. */
export class Trial {
  readonly #lab: Lab;
  readonly #course: Course;
  readonly #draws: Draws;
  readonly #here: Visitor[] = [];
  units = 0;

  constructor(lab: Lab, course: Course, draws: Draws, salt: string) {
    this.#lab = lab;
    this.#course = course;
    this.#draws = draws;
    lab.begin(salt, course.weights);
  }

  run(events: number): void {
    for (let n = 0; n < events; n++) this.#step();
  }

  /** The arm's differences from the control, by metric. */
  differences(): readonly ArmFigure[] {
    return this.#lab.report().arms[1].differences;
  }

  #step(): void {
    while (this.#here.length < this.#course.crowd) this.#here.push(this.#arrive());
    const place = this.#draws.below(this.#here.length);
    const visitor = this.#here[place];
    const assignment = this.#lab.assign(visitor.id);
    const happening = visitor.happenings[visitor.next++];
    const isChanged = assignment.index === 1;
    this.#lab.happen(visitor.id, assignment, isChanged ? lift(happening, this.#course.lifts, this.#draws) : happening);
    if (visitor.next < visitor.happenings.length) return;
    this.#here[place] = this.#here[this.#here.length - 1];
    this.#here.pop();
  }

  #arrive(): Visitor {
    const { users } = this.#course.population;
    return { id: `user-${this.units++}`, happenings: users[this.#draws.below(users.length)], next: 0 };
  }
}
