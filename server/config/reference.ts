import { z } from 'zod';
import { isReloadable } from './changes.ts';
import { configSchema } from './schema.ts';
import { describeAllowed, listLeaves, requireNode, type SchemaNode, type Setting, settings } from './settings.ts';

/** The reference of the configuration and its JSON Schema, both made from the schema. `npm run docs` writes them. */

const RELOADED = [...settings.keys()]
  .filter(isReloadable)
  .map((path) => `\`${path}\``)
  .join(', ');

const INTRODUCTION = `# Configuration

<!-- Made by \`npm run docs\` from server/config/keys.ts; do not edit. -->

Every setting has a default. A later one of these wins, key by key (a list is replaced as a whole):

1. the defaults below;
2. the file: the one that \`--config\` names, else \`accrete.yaml\` in the working directory if there is one (YAML or JSON);
3. the environment: the variables below; an empty one counts as not set;
4. flags, named after the keys: \`--rating.min=0\` or \`--rating.min 0\`.

SIGHUP makes a running server read them again. Taken over then are ${RELOADED}.
Of others that changed the log says that they need a restart, and so does beginning or ending TLS or authentication.

The server does not start with a key that it does not know or a value that does not fit. It names all mistakes at once.

\`\`\`yaml
# yaml-language-server: $schema=./docs/accrete.schema.json
listen: 0.0.0.0:50051
tls: { certificate: /etc/accrete/tls.crt, key: /etc/accrete/tls.key }
auth: { clients: /etc/accrete/clients.yaml }
data: /var/lib/accrete
rating: { min: 0.5, max: 5 }
models:
  - { name: mf, plugin: mf }
  - { name: mf-other, plugin: mf, config: { seed: 2 } }
  - { name: popularity, plugin: popularity }
defaultModel: mf
kinds: { click: { weight: 0.2 }, purchase: { weight: 3, hides: true } }
\`\`\``;

/** The published files by their path from the repository's root. */
export function renderReference(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/configuration.md', renderMarkdown()],
    ['docs/accrete.schema.json', renderJsonSchema()],
  ]);
}

/** A table of the settings of a plugin, `schema` being its `config`. */
export function renderPluginSettings(schema: z.ZodType): string {
  return renderKeys(listLeaves(z.toJSONSchema(schema, { io: 'input' })));
}

function renderMarkdown(): string {
  const bySection = Map.groupBy(settings.values(), ({ path }) => (path.includes('.') ? path.split('.')[0] : ''));
  const parts = [INTRODUCTION];
  for (const [section, members] of bySection) {
    if (section === '') {
      parts.push('## General', renderSettings(members));
      parts.push('Each of `models` has these keys:', renderKeys(listLeaves(requireNode(['models', 0]))));
      parts.push('Each of `kinds` has these keys:', renderKeys(listLeaves(requireNode(['kinds', '*']))));
      parts.push('Each of `namespaces` has these keys:', renderKeys(listLeaves(requireNode(['namespaces', '*']))));
      parts.push('Each of `peers` has these keys:', renderKeys(listLeaves(requireNode(['peers', '*']))));
    } else {
      parts.push(`## ${section}`, requireNode([section]).description ?? '', renderSettings(members));
    }
  }
  return `${parts.join('\n\n')}\n`;
}

/** The JSON Schema without the properties that only this project knows; what they say goes into the descriptions. */
function renderJsonSchema(): string {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const node: { unit?: string; form?: string; description?: string } = jsonSchema;
      const more = node.unit ? `Unit: ${node.unit}.` : node.form && `Takes ${node.form}.`;
      if (more) node.description = `${node.description ?? ''} ${more}`.trim();
      delete node.form;
      delete node.unit;
    },
  });
  const text = JSON.stringify({ title: 'Accrete configuration', ...schema }, null, 2);
  return `${text.replaceAll(/\[\s+([^[\]{}]*?)\s+\]/g, (_list, items: string) => `[${items.replaceAll(/\s+/g, ' ')}]`)}\n`;
}

function renderSettings(members: readonly Setting[]): string {
  const rows = members.map(({ path, variable, node }) => [`\`${path}\``, `\`${variable}\``, ...describe(node)]);
  return renderTable(['key', 'environment variable', 'takes', 'default', 'meaning'], rows);
}

function renderKeys(leaves: readonly [path: string, node: SchemaNode][]): string {
  const rows = leaves.map(([path, node]) => [`\`${path}\``, ...describe(node)]);
  return renderTable(['key', 'takes', 'default', 'meaning'], rows);
}

function describe(node: SchemaNode): string[] {
  const fallback = node.default === undefined ? '' : `\`${JSON.stringify(node.default)}\``;
  return [describeAllowed(node), fallback, node.description ?? ''];
}

/** A table in Markdown. */
export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, header.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}
