import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import {
  CAPTURES,
  CHECKPOINTS,
  CLASSROOMS,
  composeLearner,
  JOURNAL,
  LEARNER,
  type LearnerStart,
  PLAN,
  RESTORED,
  TEACHER,
  UNREAD,
  WRITABLE_WORLD,
} from './container/learner.ts';
import { ARENA, CONFIG, REVISIONS } from './container/shared.ts';
import { AccreteError } from './errors.ts';
import type { LearnerAsk, LearnerNews, StateHashes } from './exchange/messages.ts';
import { shrinkHeap } from './heap.ts';
import type { Captures } from './learning/captures.ts';
import type { Learner } from './learning/learner.ts';
import { retain } from './learning/retain.ts';
import type { Capture } from './store/checkpoints/capture.ts';
import { saveCheckpoint } from './store/checkpoints/save.ts';

/** The entry of the thread that learns: replay, serve the rings, answer what is asked by message, stop. */

const port = parentPort as MessagePort;
const tell = (news: LearnerNews) => port.postMessage(news);

try {
  const startedMs = performance.now();
  const container = await composeLearner(workerData as LearnerStart, tell);
  const learner = container.get(LEARNER);
  const captures = container.get(CAPTURES);
  const { journal: keep } = container.get(CONFIG);
  port.on('message', (ask: LearnerAsk) => {
    if (ask.type === 'retain') void retain(container.get(JOURNAL), keep, ask.covered, tell);
    else answer(learner, captures, ask);
  });
  await learner.start();
  const world = container.get(WRITABLE_WORLD).descriptor;
  const { models } = container.get(TEACHER);
  const { deployment, failed } = container.get(PLAN);
  tell({
    type: 'ready',
    world,
    models: models.map((model) => model.descriptor),
    deployment,
    cohorts: container.get(CLASSROOMS).descriptors,
    failed,
    replayedMs: performance.now() - startedMs,
    restored: container.get(RESTORED),
    unread: container.get(UNREAD),
  });
  await learner.run();
  await saveAtStop(container, captures);
  await container.get(JOURNAL).close();
  tell({ type: 'stopped' });
} catch (error) {
  // Loaded for this alone: it reads configurations, and a thread that lives as long as the server does not.
  const { withAdvice } = await import('./repair.ts');
  const failure = withAdvice(AccreteError.wrap(error), (workerData as LearnerStart).config.data);
  tell({ type: 'failed', error: failure.toJSON(), stack: String((error as Error).stack) });
}
port.close();

/** Between two records: whatever learns one does it without giving control back. */
function answer(learner: Learner, captures: Captures, ask: Exclude<LearnerAsk, { type: 'retain' }>): void {
  switch (ask.type) {
    case 'halt':
      learner.halt(AccreteError.from(ask.error));
      tell({ type: 'halted' });
      break;
    case 'hashes':
      reply(ask.ask, () => learner.hashes(ask.model, ask.cohort));
      break;
    case 'capture':
      reply(ask.ask, () => captures.begin(ask.whole));
      break;
    case 'captureEnded':
      captures.end(ask.isSaved);
      break;
    case 'shrink':
      shrinkHeap();
      break;
    case 'stop':
      learner.stop();
  }
}

function reply(ask: number, make: () => StateHashes | Capture): void {
  try {
    tell({ type: 'answer', ask, answer: make() });
  } catch (error) {
    tell({ type: 'refusal', ask, error: AccreteError.wrap(error).toJSON() });
  }
}

/** What a restart need not learn again. Nothing is lost if it fails: the journal has it all. */
async function saveAtStop(container: Awaited<ReturnType<typeof composeLearner>>, captures: Captures): Promise<void> {
  captures.end(false);
  if (captures.since === container.get(REVISIONS).learned) return;
  const capture = captures.begin(false);
  try {
    await saveCheckpoint(capture, { arena: container.get(ARENA), folder: container.get(CHECKPOINTS) });
  } catch (error) {
    tell({ type: 'fault', stack: String((error as Error).stack) });
  }
}
