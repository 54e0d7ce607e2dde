import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, type Scope } from './temporary-folder.ts';

/** A client as a test writes it: its token in plain, which the file has hashed. */
export interface TestClient {
  readonly name: string;
  readonly role: 'read' | 'write' | 'admin';
  readonly token?: string;
  readonly certificates?: readonly string[];
  readonly namespace?: string;
  readonly expires?: string;
  readonly limits?: Readonly<Record<string, number>>;
}

/** A file of clients that can be written anew, and ends with the scope. */
export class ClientsFile {
  readonly path: string;

  constructor(scope: Scope, clients: readonly TestClient[]) {
    this.path = join(makeFolder(scope), 'clients.yaml');
    this.write(clients);
  }

  write(clients: readonly TestClient[]): void {
    const entries = clients.map(({ token, ...client }) => ({
      ...client,
      ...(token !== undefined && { tokens: [`sha256:${hash('sha256', token, 'hex')}`] }),
    }));
    writeFileSync(this.path, JSON.stringify({ clients: entries }));
  }
}
