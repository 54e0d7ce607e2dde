import type { Slices } from '../allocation/slices.ts';

/** An experiment as control records and checkpoints have it. */
export interface Experiment {
  readonly name: string;
  /** From 1 to 65,535, by which exposures and recommendation ids name it; given again only after all others. */
  readonly number: number;
  readonly description: string;
  readonly salt: string;
  readonly learningScope: 'shared' | 'isolated' | 'shadow';
  /** 2 to 16; the first is the control. None goes away. */
  readonly arms: readonly Arm[];
  /** "user", or "context.<key>". */
  readonly unit: string;
  readonly createdMs: number;
  readonly startMs: number;
  /** Absent: when it is stopped. */
  readonly endMs?: number;
  readonly eligibleShare: number;
  readonly eligibleFilter: string;
  readonly layer: string;
  /** Which points of its layer are in it: those of experiments of a layer that have not ended are disjoint. */
  readonly layerSlices: Slices;
  readonly primaryMetric: string;
  readonly guardRails: readonly GuardRail[];
  /** 0: named outcomes alone. */
  readonly attributionWindowMs: number;
  readonly allocation: 'hash' | 'thompson' | 'interleave';
  /** The least share of every arm that was not stopped, with "thompson". */
  readonly allocationFloor: number;
  /** How often the slices of the arms were cut, the first time included, and their shares then: the latest last. */
  readonly cuts: readonly Cut[];
  /** When the arms of an isolated one got their worlds that was made before its start. */
  readonly isolatedMs?: number;
  /** Absent: it has not ended. */
  readonly ended?: Ended;
  /** The record that made it. */
  readonly revision?: number;
}

export interface Arm {
  readonly name: string;
  readonly model: string;
  /** As it was asked for. */
  readonly weight: number;
  /** Which points are its: those of all arms are disjoint, and all points together. */
  readonly slices: Slices;
  /** Of all units, the share that it began with; absent: it had none yet. */
  readonly baseShare?: number;
  /** Why it was stopped: its units are the control's since then. Absent: it was not. */
  readonly stopReason?: string;
  /** Why the world that it had was lost at a start: what is counted of it since then says nothing. Absent: it was not. */
  readonly lostReason?: string;
}

export interface GuardRail {
  readonly metric: string;
  readonly harmMax: number;
}

/** From when on arms had which shares, of 1. */
export interface Cut {
  readonly fromMs: number;
  readonly shares: readonly number[];
}

export interface Ended {
  readonly how: 'stopped' | 'promoted';
  readonly atMs: number;
  /** In words. */
  readonly reason: string;
}

/** Cuts of an experiment that are kept. */
export const CUTS_MAX = 512;

/** An experiment as it is asked for. */
export interface WantedExperiment
  extends Pick<
    Experiment,
    | 'name'
    | 'description'
    | 'salt'
    | 'learningScope'
    | 'unit'
    | 'eligibleShare'
    | 'eligibleFilter'
    | 'layer'
    | 'primaryMetric'
    | 'guardRails'
    | 'attributionWindowMs'
    | 'allocation'
    | 'allocationFloor'
  > {
  readonly arms: readonly Pick<Arm, 'name' | 'model' | 'weight'>[];
  /** Absent: now. */
  readonly startMs?: number | undefined;
  readonly endMs?: number | undefined;
}

/** Whether it has begun, at a time, and not ended. */
export function isRunning(experiment: Experiment, nowMs: number): boolean {
  const { ended, startMs, endMs = Number.POSITIVE_INFINITY } = experiment;
  return ended === undefined && startMs <= nowMs && nowMs < endMs && !isToBeIsolated(experiment);
}

/** Whether its arms are to have worlds of their own, and have none yet: they come with a record, made or begun. */
export function isToBeIsolated({ learningScope, ended, startMs, createdMs, isolatedMs }: Experiment): boolean {
  const isScheduled = startMs > createdMs && isolatedMs === undefined;
  return learningScope === 'isolated' && ended === undefined && isScheduled;
}
