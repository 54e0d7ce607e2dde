import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What runs something at its end: a test, or `{ after }` of node:test for a whole file. */
export interface Scope {
  after(run: () => unknown): void;
}

/** A new folder that is removed at the end of the scope. */
export function makeFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'accrete-test-'));
  scope.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
