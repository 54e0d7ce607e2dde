import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import {
  composeLearner,
  JOURNAL,
  LEARNER,
  type LearnerStart,
  PLAN,
  TEACHER,
  WRITABLE_WORLD,
} from './container/learner.ts';
import { AccreteError, type PlainError } from './errors.ts';
import type { LearnerAsk, LearnerNews, StateHashes } from './exchange/messages.ts';
import type { Learner } from './learning/learner.ts';
import { withAdvice } from './repair.ts';

/** The entry of the thread that learns: replay, serve the rings, answer what is asked by message, stop. */

const port = parentPort as MessagePort;
const tell = (news: LearnerNews) => port.postMessage(news);

try {
  const startedMs = performance.now();
  const container = await composeLearner(workerData as LearnerStart, tell);
  const learner = container.get(LEARNER);
  port.on('message', (ask: LearnerAsk) => answer(learner, ask));
  await learner.start();
  const world = container.get(WRITABLE_WORLD).descriptor;
  const { models } = container.get(TEACHER);
  const { deployment, failed } = container.get(PLAN);
  tell({
    type: 'ready',
    world,
    models: models.map((model) => model.descriptor),
    deployment,
    failed,
    replayedMs: performance.now() - startedMs,
  });
  await learner.run();
  await container.get(JOURNAL).close();
  tell({ type: 'stopped' });
} catch (error) {
  const failure = withAdvice(AccreteError.wrap(error), (workerData as LearnerStart).config.data);
  tell({ type: 'failed', error: failure.toJSON(), stack: String((error as Error).stack) });
}
port.close();

function answer(learner: Learner, ask: LearnerAsk): void {
  if (ask.type === 'stop') learner.stop();
  else tell({ type: 'hashes', ask: ask.ask, answer: hashesOf(learner, ask.model) });
}

/** The model may have been unloaded since it was asked for. */
function hashesOf(learner: Learner, model: string): StateHashes | PlainError {
  try {
    return learner.hashes(model);
  } catch (error) {
    return AccreteError.wrap(error).toJSON();
  }
}
