import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from './program.ts';

/** What `--help` prints. */
function helpOf(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => parts.push(part) }).outputHelp();
  return parts.join('');
}

test('every command shows an example of itself, and says what its parts are', () => {
  for (const command of createProgram().commands) {
    const name = `accrete ${command.name()}`;
    assert.match(helpOf(command), new RegExp(`Examples?:\\n.*${name}`, 's'), name);
    for (const each of [command, ...command.commands]) {
      assert.notEqual(each.description(), '', `${name} ${each.name()}`);
      for (const { flags, description } of each.options) assert.notEqual(description, '', `${name} ${flags}`);
    }
  }
});
