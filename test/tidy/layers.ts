import { importer, type Rule, type SourceFile } from './tree.ts';

/** Ground floor first: folders, and files that stand by themselves. What is in `plugins/` and not the contract is a plugin. */
const FLOORS: readonly (readonly RegExp[])[] = [
  [/^proto\/gen\//, /^plugins\/contract\//],
  [/^plugins\/[^/]+\//, /^server\/errors\.ts$/, /^server\/(allocation|config|memory|tensor)\//],
  [/^server\/(access|store|models)\//],
  [/^server\/(exchange|experiments|teaching)\//],
  [/^server\/(learning|serving|jobs)\//],
  [/^server\/rpc\//],
  [/^server\/telemetry\//],
  [/^server\/container\//],
  [/^server\/[^/]+\.ts$/],
];

interface Place {
  readonly floor: number;
  /** The folder, or the file itself. */
  readonly name: string;
}

function findPlace(path: string): Place | undefined {
  for (const [floor, places] of FLOORS.entries()) {
    const name = places.map((place) => place.exec(path)?.[0]).find((found) => found !== undefined);
    if (name !== undefined) return { floor, name };
  }
  return undefined;
}

const layered = (files: readonly SourceFile[]) =>
  files.filter(({ path }) => /^(server|plugins)\/.*\.ts$/.test(path) && !path.endsWith('.test.ts'));

const untested = (files: readonly SourceFile[]) =>
  files.filter(({ path }) => !path.startsWith('test/') && !path.endsWith('.test.ts'));

/** The violations among all imports of `files`, by what `refuse` says of each. */
function examine(
  files: readonly SourceFile[],
  refuse: (path: string, target: string) => string | false | undefined,
): string[] {
  return files.flatMap(({ path, imports }) =>
    imports.flatMap((target) => {
      const reason = refuse(path, target);
      return reason ? [`${path} imports ${target}: ${reason}`] : [];
    }),
  );
}

const everyFileHasAFloor: Rule = {
  name: 'every file of the server and the plugins stands on a floor',
  remedy: 'Put it into one of the folders that FLOORS lists, or give its new folder a floor there.',
  find: (files) =>
    layered(files).flatMap(({ path }) => (findPlace(path) ? [] : [`${path} stands in no folder that FLOORS lists`])),
  broken: [[importer('server/attic/ghost.ts')], [importer('plugins/stray.ts')]],
  kept: [[importer('server/store/journal.ts'), importer('plugins/mf/plugin.ts'), importer('server/main.ts')]],
};

const importsPointDown: Rule = {
  name: 'imports point down the tree',
  remedy: 'Move what is shared to a lower floor, or pass it as an argument.',
  find: (files) =>
    examine(layered(files), (path, target) => {
      const [from, to] = [findPlace(path), findPlace(target)];
      if (!from || !to || from.floor > to.floor || from.name === to.name) return undefined;
      if (from.floor < to.floor) return `that is floor ${to.floor}, above its own (${from.floor})`;
      return (
        from.name.endsWith('/') &&
        to.name.endsWith('/') &&
        `folders of one floor (${to.floor}) do not import each other`
      );
    }),
  broken: [
    [importer('server/memory/table.ts', 'server/store/journal.ts')],
    [importer('plugins/contract/index.ts', 'server/errors.ts')],
    [importer('server/learning/learner.ts', 'server/serving/ranking.ts')],
    [importer('server/memory/table.ts', 'server/config/schema.ts')],
    [importer('server/rpc/rate.ts', 'server/container/shared.ts')],
    [importer('server/rpc/rate.ts', 'server/learner-thread.ts')],
  ],
  kept: [
    [importer('server/memory/table.ts', 'server/memory/arena.ts', 'server/errors.ts', 'plugins/contract/index.ts')],
    [importer('server/main.ts', 'server/container/server.ts', 'server/telemetry/log.ts', 'server/rpc/rate.ts')],
    [importer('server/memory/table.test.ts', 'server/store/journal.ts')],
  ],
};

const noCircles: Rule = {
  name: 'no import leads back to where it came from',
  remedy: 'Move what both sides need into a file of its own.',
  find: (files) => findCircles(files).map((circle) => circle.join(' -> ')),
  broken: [
    [
      importer('server/a.ts', 'server/b.ts'),
      importer('server/b.ts', 'server/c.ts'),
      importer('server/c.ts', 'server/a.ts'),
    ],
    [importer('test/a.test.ts', 'test/a.test.ts')],
  ],
  kept: [
    [
      importer('server/a.ts', 'server/b.ts', 'server/c.ts'),
      importer('server/b.ts', 'server/c.ts'),
      importer('server/c.ts'),
    ],
  ],
};

/** One circle for each import that closes one, in a walk that enters every file once. */
function findCircles(files: readonly SourceFile[]): string[][] {
  const imports = new Map(files.map((file) => [file.path, file.imports]));
  const circles: string[][] = [];
  const done = new Set<string>();
  const way: string[] = [];
  const enter = (path: string): void => {
    const at = way.indexOf(path);
    if (at >= 0) circles.push([...way.slice(at), path]);
    if (at >= 0 || done.has(path)) return;
    way.push(path);
    for (const target of imports.get(path) ?? []) enter(target);
    way.pop();
    done.add(path);
  };
  for (const path of imports.keys()) enter(path);
  return circles;
}

const pluginsImportTheContract: Rule = {
  name: 'a plugin imports the contract, its own folder and zod, nothing else',
  remedy: 'What a plugin needs of its host is in plugins/contract: extend the contract if it is missing there.',
  find: (files) =>
    examine(layered(files), (path, target) => {
      const own = findPlace(path)?.name ?? '';
      if (!own.startsWith('plugins/') || own === 'plugins/contract/') return undefined;
      return (
        !target.startsWith(own) && !target.startsWith('plugins/contract/') && target !== 'zod' && 'no part of a plugin'
      );
    }),
  broken: [
    [importer('plugins/mf/plugin.ts', 'server/memory/table.ts')],
    [importer('plugins/mf/plugin.ts', 'plugins/popularity/tables.ts')],
    [importer('plugins/mf/plugin.ts', 'node:fs')],
  ],
  kept: [[importer('plugins/mf/plugin.ts', 'plugins/contract/index.ts', 'plugins/mf/config.ts', 'zod')]],
};

const serverNamesNoPlugin: Rule = {
  name: 'the server imports no plugin',
  remedy: 'Plugins are found by module specifier: see server/models.',
  find: (files) =>
    examine(
      layered(files),
      (path, target) =>
        path.startsWith('server/') &&
        /^plugins\/(?!contract\/)/.test(target) &&
        'only the contract is known to the server',
    ),
  broken: [[importer('server/models/model.ts', 'plugins/mf/plugin.ts')]],
  kept: [[importer('server/models/model.ts', 'plugins/contract/index.ts')]],
};

/** What `accrete plugin new` copies: a plugin, and no client. */
const SCAFFOLD = /^clients\/cli\/scaffold\//;

const clientsImportTheWire: Rule = {
  name: 'clients import the wire contract and each other, nothing of the server',
  remedy: 'Clients talk to a server; what they share with it is in proto/.',
  find: (files) =>
    examine(
      untested(files),
      (path, target) =>
        path.startsWith('clients/') &&
        !SCAFFOLD.test(path) &&
        /^(server|plugins|setup|test|docs)\//.test(target) &&
        'not for clients',
    ),
  broken: [[importer('clients/cli/main.ts', 'server/errors.ts')], [importer('clients/node/client.ts', 'test/data.ts')]],
  kept: [
    [importer('clients/cli/main.ts', 'clients/node/client.ts', 'proto/gen/accrete/v1/user.ts', 'commander')],
    [importer('clients/cli/scaffold/plugin.ts', 'plugins/contract/index.ts')],
  ],
};

/** Packages and generated code that only some files may import; tests may import all. */
const CONFINED = [
  { what: /^inversify$/, to: /^server\/container\//, example: ['server/rpc/rate.ts', 'inversify'] },
  { what: /^lmdb$/, to: /^server\/store\/lmdb\.ts$/, example: ['server/store/journal.ts', 'lmdb'] },
  {
    what: /^@opentelemetry\/(?!api$)/,
    to: /^(server\/telemetry\/|clients\/node\/conformance\.mjs$)/,
    example: ['server/rpc/rate.ts', '@opentelemetry/sdk-metrics'],
  },
  {
    what: /^(@grpc\/|grpc-health-check$)/,
    to: /^(server\/rpc|clients)\//,
    example: ['server/main.ts', '@grpc/grpc-js'],
  },
  {
    what: /^proto\/gen\//,
    to: /^(server\/rpc\/|server\/store\/([^/]*codec[^/]*|forget\/[^/]*)$|clients\/)/,
    example: ['server/serving/ranking.ts', 'proto/gen/accrete/v1/user.ts'],
  },
] as const;

const confinedImports: Rule = {
  name: 'inversify, lmdb, the OpenTelemetry SDK, gRPC and generated code stay where they belong',
  remedy: 'Other code takes plain arguments; see CONFINED for where each may be imported.',
  find: (files) =>
    examine(untested(files), (path, target) => {
      const rule = CONFINED.find(({ what }) => what.test(target));
      return rule && !rule.to.test(path) && `confined to ${rule.to.source}`;
    }),
  broken: CONFINED.map(({ example: [path, target] }) => [importer(path, target)]),
  kept: [
    [importer('server/container/shared.ts', 'inversify'), importer('server/store/lmdb.ts', 'lmdb')],
    [importer('server/rpc/rate.ts', '@opentelemetry/api', '@grpc/grpc-js', 'proto/gen/accrete/v1/user.ts')],
    [importer('server/store/record.test.ts', 'proto/gen/accrete/v1/user.ts')],
  ],
};

export const LAYER_RULES: readonly Rule[] = [
  everyFileHasAFloor,
  importsPointDown,
  noCircles,
  pluginsImportTheContract,
  serverNamesNoPlugin,
  clientsImportTheWire,
  confinedImports,
];
