import type { Plugin } from '../../plugins/contract/index.ts';

/** Milliseconds that a model's own code took, the host's around it excluded. */
export interface Spent {
  predicting: number;
  learning: number;
}

/** The plugin as it is, with a watch. */
export function timed(plugin: Plugin): { readonly plugin: Plugin; readonly spent: Spent } {
  const spent = { predicting: 0, learning: 0 };
  const watch = <Arguments extends unknown[], Result>(what: keyof Spent, run: (...given: Arguments) => Result) => {
    return (...given: Arguments): Result => {
      const start = performance.now();
      const result = run(...given);
      spent[what] += performance.now() - start;
      return result;
    };
  };
  const watched: Plugin = {
    ...plugin,
    scorer(context) {
      const inner = plugin.scorer(context);
      const { predict } = inner;
      return predict ? { ...inner, predict: watch('predicting', predict.bind(inner)) } : inner;
    },
    learner(context) {
      const inner = plugin.learner(context);
      const { learnEvent } = inner;
      return {
        learn: watch('learning', inner.learn.bind(inner)),
        retract: inner.retract?.bind(inner),
        ...(learnEvent && { learnEvent: learnEvent.bind(inner), retractEvent: inner.retractEvent?.bind(inner) }),
      };
    },
  };
  return { plugin: watched, spent };
}
