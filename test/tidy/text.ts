import { posix } from 'node:path';
import { type Rule, type SourceFile, source } from './tree.ts';

const LINES_MAX = 400;
const CODE = /\.(ts|mjs|sh|proto|py|go|java)$/;
/** Copied as they are, and not for us to change. */
const FOREIGN = /^(LICENSE$|proto\/third_party\/|test\/data\/ml-latest-small\/)/;

const own = (files: readonly SourceFile[]) => files.filter(({ path }) => !FOREIGN.test(path));

/** The lines of our own files that `pattern` matches; those of these rules, which hold examples, left out. */
function findLines(files: readonly SourceFile[], pattern: RegExp): string[] {
  return own(files).flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) && !path.startsWith('test/tidy/') ? [`${path}:${index + 1}: ${line.trim()}`] : [],
      ),
  );
}

const filesAreShort: Rule = {
  name: `no file of code is longer than ${LINES_MAX} lines`,
  remedy: 'Take a concept out into a file of its own, named for what it exports.',
  find: (files) =>
    own(files).flatMap(({ path, text }) => {
      const lines = text.trimEnd().split('\n').length;
      return CODE.test(path) && lines > LINES_MAX ? [`${path} has ${lines} lines`] : [];
    }),
  broken: [[source('server/long.ts', 'a\n'.repeat(LINES_MAX + 1))]],
  kept: [[source('server/long.ts', 'a\n'.repeat(LINES_MAX)), source('docs/long.md', 'a\n'.repeat(LINES_MAX + 1))]],
};

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;

const namesAreKebabCase: Rule = {
  name: 'files and folders of code have kebab-case names',
  remedy: 'Rename it for its export, in lower case with hyphens.',
  find: (files) =>
    own(files).flatMap(({ path }) => {
      if (!/\.(ts|mjs|sh)$/.test(path)) return [];
      const words = path.split('/').flatMap((part) => part.split('.'));
      return words.filter((word) => !KEBAB.test(word)).map((word) => `${path}: ${word} is not in kebab-case`);
    }),
  broken: [
    [source('server/hashIndex.ts', '')],
    [source('server/Memory/arena.ts', '')],
    [source('setup/run_it.sh', '')],
  ],
  kept: [
    [
      source('server/memory/hash-index.test.ts', ''),
      source('clients/python/my_module.py', ''),
      source('README.md', ''),
    ],
  ],
};

const VAGUE = /^(utils?|common|core|helpers?|misc|shared|lib)$/;

const foldersSayWhatTheyAre: Rule = {
  name: 'no folder has a name that says nothing, such as utils, common, core or helpers',
  remedy: 'Name the folder for what its files are about.',
  find: (files) =>
    own(files).flatMap(({ path }) => {
      const vague = path
        .split('/')
        .slice(0, -1)
        .find((folder) => VAGUE.test(folder));
      return vague ? [`${path} is in a folder called ${vague}`] : [];
    }),
  broken: [[source('server/utils/a.ts', '')], [source('plugins/mf/common/a.ts', '')]],
  kept: [[source('server/memory/core.ts', '')]],
};

const todosCiteAReference: Rule = {
  name: 'a TODO cites a reference',
  remedy: 'Write `TODO(#12): what`, or do it.',
  find: (files) => findLines(files, /\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/),
  broken: [[source('server/a.ts', '// TODO: later')], [source('docs/a.md', 'FIXME')]],
  kept: [[source('server/a.ts', '// TODO(#12): later')]],
};

const noMachinePaths: Rule = {
  name: "no path of somebody's machine",
  remedy: 'Name it relative to the repository, or by an environment variable.',
  find: (files) => findLines(files, /(?<![\w.~/-])\/(work|home|root|Users)\/\w/),
  broken: [[source('docs/a.md', 'see /home/ada/notes')], [source('server/a.ts', "read('/work/data')")]],
  kept: [[source('docs/a.md', 'see ./work/data, /var/lib/accrete and ../home/a')]],
};

/** What an address begins with, and one that is planted: apart from settings, so that this file sets none. */
const WEB = 'https?:';
const EXAMPLE = 'https://a.example';

const noDownloads: Rule = {
  name: 'no address that something is downloaded from',
  remedy: 'Name the package; its client knows the registry. In package-lock.json: see .npmrc.',
  find: (files) => findLines(files, DOWNLOAD),
  broken: [
    [source('package-lock.json', '"resolved": "a"')],
    [source('Dockerfile', 'RUN curl https://example.org/node.tar.xz')],
    [source('settings', `packages = ${EXAMPLE}`)],
    [source('Dockerfile', `RUN install --packages-from=${EXAMPLE}`)],
    [source('setup/a.sh', `export SOURCE=${EXAMPLE} && install`)],
  ],
  kept: [
    [
      source('docs/a.md', 'see https://example.org/paper.pdf, https://nodejs.org and `PEER=http://localhost:1`'),
      source('docs/b.md', `[a](${EXAMPLE}/?to=${EXAMPLE})`),
      source('settings', 'peer = http://127.0.0.1:1'),
      source('server/a.ts', `const NAMESPACE = '${EXAMPLE}/2026';`),
    ],
  ],
};

const DOWNLOAD = new RegExp(
  [
    '"resolved":',
    `${WEB}//\\S+\\.(tgz|tar\\.\\w+|zip|whl|jar|deb|rpm|dmg|msi|exe)\\b`,
    // A setting: without quotes, no part of a link, and of another machine.
    `(?<![?&])\\b[\\w.-]+\\s*=\\s*${WEB}//(?!localhost\\b|127\\.0\\.0\\.1\\b)`,
  ].join('|'),
);

const linksLead: Rule = {
  name: 'links in documents lead to files that are here',
  remedy: 'Correct the path; it is relative to the document.',
  find: (files) => {
    const there = new Set(files.flatMap(({ path }) => withFolders(path)));
    return own(files)
      .filter(({ path }) => path.endsWith('.md'))
      .flatMap(({ path, text }) =>
        findLinks(text)
          .filter((link) => !there.has(posix.join(posix.dirname(path), link).replace(/\/$/, '')))
          .map((link) => `${path} links to ${link}`),
      );
  },
  broken: [[source('docs/a.md', 'see [b](b.md)')], [source('README.md', '<img src="docs/logo.png">')]],
  kept: [
    [
      source('docs/a.md', 'see [b](../b.md#top), [c](https://c.org), [here](#here), [docs](../docs/), `[d](d.md)`'),
      source('b.md', ''),
    ],
  ],
};

/** Where a document says what shows that its promises hold. */
const EVIDENCE = /^docs\/durability\.md$/;

const evidenceIsHere: Rule = {
  name: 'tests, folders of tests and commands that docs/durability.md names are here',
  remedy: 'Name what shows it now, by its path from the root, where * stands for any part of a name.',
  find: (files) => {
    const there = files.flatMap(({ path }) => withFolders(path));
    const { scripts = {} } = JSON.parse(files.find(({ path }) => path === 'package.json')?.text ?? '{}');
    return files
      .filter(({ path }) => EVIDENCE.test(path))
      .flatMap(({ path, text }) =>
        findNames(text)
          .filter((name) => {
            const [, script] = /^npm (?:run )?(\S+)$/.exec(name) ?? [];
            return script === undefined ? !there.some((each) => posix.matchesGlob(each, name)) : !(script in scripts);
          })
          .map((name) => `${path} names ${name}`),
      );
  },
  broken: [
    [source('docs/durability.md', '| a | `test/a.test.ts` |')],
    [source('docs/durability.md', '`a.test.ts`'), source('test/a.test.ts', '')],
    [source('docs/durability.md', '`test/a*.test.ts`'), source('test/b.test.ts', '')],
    [source('docs/durability.md', '`test/faults/disk`'), source('test/faults/disks/a.test.ts', '')],
    [source('docs/durability.md', '`npm run test:faults`'), source('package.json', '{"scripts":{"test":"a"}}')],
  ],
  kept: [
    [
      source('docs/durability.md', '`test/a*.test.ts`, `test/faults`, `npm run b`, `npm test`, `RollbackModel`, `a/b'),
      source('test/faults/x/ab.test.ts', ''),
      source('test/ab.test.ts', ''),
      source('package.json', '{"scripts":{"b":"c","test":"a"}}'),
    ],
  ],
};

/** What stands in backticks and is a path, the name of a file, or a command of npm. */
function findNames(markdown: string): string[] {
  return [...markdown.matchAll(/`([^`\n]+)`/g)].map(([, name]) => name).filter((name) => NAME.test(name));
}

const NAME = /^(npm \S.*|\S*\/\S*|[\w*-]\S*\.(ts|c|sh|md))$/;

/** A file's path and those of the folders around it, the root being ".". */
function withFolders(path: string): string[] {
  return path === '.' ? [path] : [path, ...withFolders(posix.dirname(path))];
}

/** Targets within the repository of Markdown's links and of HTML's, without their anchors; code is left out. */
function findLinks(markdown: string): string[] {
  const prose = markdown.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)[^)]*\)|(?:src|href)="([^"]+)"/g)]
    .map(([, markdownLink, htmlLink]) => markdownLink ?? htmlLink ?? '')
    .filter((link) => !/^(\w+:|#)/.test(link))
    .map((link) => link.replace(/#.*/, ''));
}

interface Lock {
  packages: Record<string, { optionalDependencies?: Record<string, string> }>;
}

const lockIsComplete: Rule = {
  name: 'package-lock.json names the packages of every platform',
  remedy:
    'npm leaves out those that its registry lacks, and `npm ci` then refuses: add them, with version, os and cpu.',
  find: (files) => {
    const text = files.find(({ path }) => path === 'package-lock.json')?.text;
    const { packages } = JSON.parse(text ?? '{"packages":{}}') as Lock;
    return Object.entries(packages).flatMap(([folder, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies)
        .filter((name) => !packages[`node_modules/${name}`] && !packages[`${folder}/node_modules/${name}`])
        .map((name) => `package-lock.json: ${folder} wants ${name}`),
    );
  },
  broken: [
    [source('package-lock.json', '{"packages":{"node_modules/a":{"optionalDependencies":{"a-linux":"1.0.0"}}}}')],
  ],
  kept: [[source('package-lock.json', '{"packages":{"":{"optionalDependencies":{"b":"1.0.0"}},"node_modules/b":{}}}')]],
};

export const TEXT_RULES: readonly Rule[] = [
  filesAreShort,
  namesAreKebabCase,
  foldersSayWhatTheyAre,
  todosCiteAReference,
  noMachinePaths,
  noDownloads,
  linksLead,
  evidenceIsHere,
  lockIsComplete,
];
