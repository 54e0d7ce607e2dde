import type { Command } from 'commander';
import {
  GetModelRequest,
  ModelServiceService,
  RollbackModelRequest,
  RollbackModelResponse,
  SetDefaultModelRequest,
  SetDefaultModelResponse,
  UnloadModelRequest,
  UnloadModelResponse,
} from '../../../proto/gen/accrete/v1/model.ts';
import type { Connection } from '../connection.ts';
import { withSession } from '../session.ts';

/** A model may have a long journal to learn. */
const TIMEOUT_MS = 24 * 3_600_000;

export function addUnload(models: Command): void {
  models
    .command('unload')
    .description('take a model out of the server, or drop one of its kept versions')
    .argument('<name>')
    .option('--kept <version>', 'this kept version, in place of the whole model')
    .action((name: string, { kept: version }: { kept?: string }, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const request = UnloadModelRequest.fromPartial({ name, version });
        const answer = await connection.call(ModelServiceService.unloadModel, request);
        output.answer(UnloadModelResponse.toJSON(answer), () =>
          output.line(version === undefined ? `${name} is unloaded` : `version ${version} of ${name} is dropped`),
        );
      }),
    );
}

export function addRollback(models: Command): void {
  models
    .command('rollback')
    .description('bring an earlier version of a model back; it learns what came after, and serves')
    .argument('<name>')
    .argument('[version]', 'the one before the present one when left out')
    .option('--validate-only', 'look whether it can be brought back, and change nothing')
    .action((name: string, version: string | undefined, options: { validateOnly?: boolean }, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        // By its name, so that a call that is repeated after a lost answer goes back no further.
        const chosen = version ?? (await findEarlier(connection, name));
        const request = RollbackModelRequest.fromPartial({ name, version: chosen, validateOnly: options.validateOnly });
        const answer = await connection.call(ModelServiceService.rollbackModel, request, TIMEOUT_MS);
        const { model, previousVersion } = answer;
        output.answer(RollbackModelResponse.toJSON(answer), () => {
          if (options.validateOnly) output.line(`version ${chosen} of ${name} can be brought back`);
          else output.line(`version ${model?.version} of ${name} serves; version ${previousVersion} is kept`);
        });
      }),
    );
}

/** The name of the version before the one that serves; "" where there is none, which the server says best. */
async function findEarlier(connection: Connection, name: string): Promise<string> {
  const { model } = await connection.call(ModelServiceService.getModel, GetModelRequest.fromPartial({ name }));
  return model?.versions[1]?.version ?? '';
}

export function addDefault(models: Command): void {
  models
    .command('default')
    .description('say which model answers when a request names none')
    .argument('<name>')
    .action((name: string, _options: unknown, command: Command) =>
      withSession(command, async ({ connection, output }) => {
        const request = SetDefaultModelRequest.fromPartial({ name });
        const answer = await connection.call(ModelServiceService.setDefaultModel, request);
        output.answer(SetDefaultModelResponse.toJSON(answer), () =>
          output.line(
            answer.previousName === name
              ? `${name} is the default model, as it was`
              : `${name} is the default model; until now it was ${answer.previousName}`,
          ),
        );
      }),
    );
}
