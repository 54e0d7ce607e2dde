import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scale } from '../../server/memory/scale.ts';
import { loadPlugin } from '../../server/models/plugins.ts';
import { find100k, readMovieLensSmall } from '../data.ts';
import { leftToModels } from '../support/long.ts';
import { goOn } from './refit.ts';

/** The benchmark of refits on real streams, at the settings that are shipped: `atMost` is what was measured once, and .001 more. */

const cases = [
  { model: 'mf', set: 'ml-100k', ...large(), scale: new Scale(1, 5), atMost: 0.9196 },
  { model: 'mf', ...small(), skip: leftToModels, atMost: 0.7926 },
  { model: 'ncf', ...small(), atMost: 0.8124 },
];

for (const { model, set, skip, ratings, scale, atMost } of cases) {
  test(`${set}: a refit of ${model} at the half makes the second half better`, { skip }, async () => {
    assert(ratings);
    const plugin = await loadPlugin(model);
    const [without, refitted] = [await goOn(plugin, ratings, scale), await goOn(plugin, ratings, scale, 1)];
    assert(refitted.rmse <= atMost, `RMSE ${refitted.rmse}, not ${atMost}`);
    assert(refitted.rmse < without.rmse - 0.001, `RMSE ${refitted.rmse}, without a refit ${without.rmse}`);
  });
}

function large() {
  const found = find100k();
  return { ...found, skip: found.skip || leftToModels };
}

function small() {
  return { set: 'ml-latest-small', skip: false, ratings: readMovieLensSmall(), scale: new Scale(0.5, 5) };
}
