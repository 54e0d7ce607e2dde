import type { KindEvent, LearnContext, Learner, Rated, RatingEvent } from '../contract/index.ts';
import { isClaimed } from './claims.ts';
import type { BanditConfig } from './config.ts';
import { Earnings } from './earnings.ts';
import type { BanditTables } from './tables.ts';
import { TasteLearner } from './taste-learner.ts';

type Context = LearnContext<BanditConfig, BanditTables, unknown>;

/** Whose outcome, of what. */
interface Pair {
  readonly user: number;
  readonly item: number;
}

export function learner(context: Context): Learner {
  const { config, tables, memory, history, events } = context;
  const { f64: doubles } = memory;
  const earnings = new Earnings(config, tables, memory);
  const taste = 'users' in tables ? new TasteLearner(context, tables) : undefined;
  const shownOf = tables.items.column('shown');
  const earnedOf = tables.items.column('earned');
  const all = {
    shown: tables.model.column('shown')(0) >>> 3,
    earned: tables.model.column('earned')(0) >>> 3,
    unclaimed: tables.model.column('unclaimed')(0) >>> 3,
  };
  const windowSeconds = 3600 * config.windowHours;

  /** Counts never fall below 0, whatever was taken back without having been counted. */
  function add(at: number, amount: number): void {
    doubles[at] = Math.max(0, doubles[at] + amount);
  }

  function show({ user, item, weight }: KindEvent): void {
    taste?.see(item);
    taste?.show(user, item, weight);
    taste?.earn(user, item, -weight * earnings.look(item, earnings.rate).mean);
    add(shownOf(item) >>> 3, weight);
    add(all.shown, weight);
  }

  /** What was done at a time, by its worth; negative: it is taken back. */
  function earn({ user, item }: Pair, time: number, reward: number): void {
    taste?.see(item);
    if (!isClaimed(events, { user, item, time }, windowSeconds)) {
      add(all.unclaimed, Math.sign(reward));
      return;
    }
    add(earnedOf(item) >>> 3, reward);
    add(all.earned, reward);
    taste?.earn(user, item, reward);
  }

  const worth = ({ value, weight }: Rated) => (config.rating * weight * (value - 1)) / 4;

  /** What is learned of a user goes with the last that is known of them. */
  function forget(user: number): void {
    if (!taste || history.userCount(user) > 0) return;
    for (let n = events.userCount(user) - 1; n >= 0; n--) if (events.weight(events.ofUser(user, n)) > 0) return;
    taste.forget(user);
  }

  return {
    learn(event: RatingEvent): void {
      const { previous } = event;
      if (previous) earn(event, previous.time, -worth(previous));
      earn(event, event.time, worth(event));
    },

    retract(event: RatingEvent): void {
      earn(event, event.time, -worth(event));
      forget(event.user);
    },

    /** One that carries a value was counted as the rating that it set. */
    learnEvent(event: KindEvent): void {
      if (event.exposure) show(event);
      else if (event.value === undefined) earn(event, event.time, event.weight);
      else taste?.see(event.item);
    },

    retractEvent(event: KindEvent): void {
      if (event.exposure) {
        add(shownOf(event.item) >>> 3, -event.weight);
        add(all.shown, -event.weight);
      } else if (event.value === undefined) earn(event, event.time, -event.weight);
      if (!event.more) forget(event.user);
    },
  };
}
