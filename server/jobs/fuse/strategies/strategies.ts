import type { Device, Plugin } from '../../../../plugins/contract/index.ts';
import { type Block, fusionOf, type Meanings } from '../../../models/fusion.ts';
import { alignAll, hasFactors, requireOneBase } from './alignment.ts';
import { averageFactors, fuseColumns } from './columns.ts';
import { concatenateFactors } from './concatenation.ts';
import type { Diagnostics, Members } from './members.ts';

/** How a new version of a model is made. */

export interface FuseOptions {
  /** Of every random draw. */
  readonly seed: number;
  /** Factors to keep; 0: as many as the model has. */
  readonly rank: number;
  /** Averages models of different bases, too, and the same file once more. */
  readonly force: boolean;
}

export interface Fused {
  readonly blocks: ReadonlyMap<string, Block>;
  readonly diagnostics: Diagnostics;
}

interface StrategyTerms {
  /** Options that it takes, besides the seed. */
  readonly options: readonly (keyof FuseOptions)[];
  /** Why a plugin cannot, under a configuration, as a clause; undefined: it can. */
  readonly obstacle: (plugin: Plugin, config: { readonly seed: number }) => string | undefined;
}

/** Trains on the ratings that are here. */
interface Training extends StrategyTerms {
  readonly from: 'ratings';
}

/** Makes one model of several. */
export interface Joining extends StrategyTerms {
  readonly from: 'sources';
  /** Whether sources may have other numbers of factors than the model. */
  readonly ranks: 'equal' | 'any';
  /** Whether sources are to have learned other ratings than the models of this server, which all learn the same. */
  readonly foreignOnly: boolean;
  readonly fuse: (members: Members, options: FuseOptions, device: Device) => Promise<Fused>;
}

/** Keeps several models beside one another, as the members of one. */
interface Blending extends StrategyTerms {
  readonly from: 'members';
}

export type Strategy = Training | Joining | Blending;

/** Of a source that is not `foreignOnly`, in words that continue its name. */
export const SAME_RATINGS =
  'has learned the ratings that all models of this server have, which would be counted twice: name a file of a model that learned others';

const joining = { from: 'sources', ranks: 'equal', foreignOnly: false, options: [] } as const;

export const STRATEGIES = {
  REFIT: {
    from: 'ratings',
    options: [],
    obstacle: ({ refit }) => (refit ? undefined : 'its plugin has no refit'),
  },
  AVERAGE: {
    ...joining,
    options: ['force'],
    obstacle: byMeaning(
      (meanings) => hasFactors(meanings) || has(meanings, 'mean') || has(meanings, 'gaussian'),
      'it has nothing but counts, which are added up',
    ),
    fuse: async (members, { force }, device) => {
      const diagnostics = await requireOneBase(members, device, force);
      return { blocks: new Map([...fuseColumns(members), ...averageFactors(members)]), diagnostics };
    },
  },
  PROCRUSTES: {
    ...joining,
    obstacle: byMeaning(hasFactors, 'it has no factors that could be aligned'),
    fuse: async (members, _options, device) => {
      const { members: aligned, diagnostics } = await alignAll(members, device);
      return { blocks: new Map([...fuseColumns(aligned), ...averageFactors(aligned)]), diagnostics };
    },
  },
  CONCAT: {
    ...joining,
    ranks: 'any',
    options: ['rank'],
    obstacle: byMeaning(hasFactors, 'it has no factors that could be put side by side'),
    fuse: async (members, { rank }, device) => {
      const { blocks, diagnostics } = await concatenateFactors(members, device, rank);
      return { blocks: new Map([...fuseColumns(members), ...blocks]), diagnostics };
    },
  },
  COUNTS: {
    ...joining,
    foreignOnly: true,
    obstacle: byMeaning(
      (meanings) =>
        has(meanings, 'sum') && !hasFactors(meanings) && !has(meanings, 'mean') && !has(meanings, 'gaussian'),
      'it has more than counts, and what it has learned cannot be added up',
    ),
    fuse: async (members) => ({ blocks: fuseColumns(members), diagnostics: {} }),
  },
  BLEND: {
    from: 'members',
    options: [],
    obstacle: ({ inputs }) =>
      inputs
        ? 'it has other models as inputs and mixes them itself, and members of a blend learn alone; blend those models'
        : undefined,
  },
} as const satisfies Record<string, Strategy>;

export type StrategyName = keyof typeof STRATEGIES;

function has(meanings: Meanings, as: Meanings[string]['as']): boolean {
  return Object.values(meanings).some((meaning) => meaning.as === as);
}

function byMeaning(suits: (meanings: Meanings) => boolean, otherwise: string): Strategy['obstacle'] {
  return (plugin, config) => {
    const fusion = fusionOf(plugin, config);
    if (typeof fusion === 'string') return fusion;
    return suits(fusion.columns) ? undefined : otherwise;
  };
}

/** The strategies that a model of a plugin takes, which may expect no ratings, in the order of the table. */
export function strategiesFor(plugin: Plugin, config: { readonly seed: number }, predicts: boolean): StrategyName[] {
  const names = Object.keys(STRATEGIES) as StrategyName[];
  return names.filter((name) => obstacleTo(name, plugin, config, predicts) === undefined);
}

/** Why it does not take one, as a clause. */
export function obstacleTo(
  name: StrategyName,
  plugin: Plugin,
  config: { readonly seed: number },
  predicts: boolean,
): string | undefined {
  const strategy: Strategy = STRATEGIES[name];
  const isMute = strategy.from === 'members' && !predicts;
  return strategy.obstacle(plugin, config) ?? (isMute ? 'it expects no ratings, and those are mixed' : undefined);
}
