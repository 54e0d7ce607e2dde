import type { WritableMemory, WriteTables } from '../contract/index.ts';
import type { LearningBase } from './base.ts';
import { biasLearner } from './biases.ts';
import type { MfConfig } from './config.ts';
import { RegressionLearner } from './regression-learner.ts';
import type { MfTables } from './tables.ts';

/** The base that the configuration asks for, as it learns. */
export function baseLearner({
  config,
  tables,
  memory,
}: {
  readonly config: MfConfig;
  readonly tables: WriteTables<MfTables>;
  readonly memory: WritableMemory;
}): LearningBase {
  return config.base === 'bayes' ? new RegressionLearner(config, tables, memory) : biasLearner(config, tables, memory);
}
