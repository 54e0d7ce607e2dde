import { readdirSync, readFileSync } from 'node:fs';
import { renderTable } from '../server/config/reference.ts';

/** The list of decision records, from the first line of each: `# 0001. Title`. */

const INTRODUCTION = `# Decisions

<!-- Made by \`npm run docs\` from the records beside it; do not edit. -->

What is hard to undo, or departs from an obvious choice: its context, what was decided, and what follows. A decision
that is changed gets a new record, and the old one says so in its first paragraph.`;

const FOLDER = new URL('decisions/', import.meta.url);

export function renderDecisions(): string {
  const records = readdirSync(FOLDER).filter((name) => /^\d{4}-.*\.md$/.test(name));
  const rows = records.sort().map((name) => {
    const [line] = readFileSync(new URL(name, FOLDER), 'utf8').split('\n');
    const [, number, title] = /^# (\d{4})\. (.+)$/.exec(line) ?? [];
    if (number !== name.slice(0, 4))
      throw new Error(`docs/decisions/${name} must begin with # ${name.slice(0, 4)}. Title`);
    return [`[${number}](${name})`, title];
  });
  return `${INTRODUCTION}\n\n${renderTable(['', ''], rows)}\n`;
}
