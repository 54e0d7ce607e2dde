import type { Command } from 'commander';
import {
  ModelServiceService,
  SetDefaultModelRequest,
  SetDefaultModelResponse,
  UnloadModelRequest,
  UnloadModelResponse,
} from '../../../proto/gen/accrete/v1/model.ts';
import { withSession } from '../session.ts';

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
