import type { Command, Option } from 'commander';

/** A word that may stand at a place, and what it does. */
export interface Word {
  readonly word: string;
  readonly description: string;
}

/** What may follow: one of some words, a file, or anything. */
export type Value = readonly Word[] | 'file' | 'any';

/** A place in a command line: after a command and its subcommand. */
export interface Spot {
  /** `models load`; "" is the program itself. */
  readonly path: string;
  /** Subcommands and options. */
  readonly words: readonly Word[];
  /** What follows each option that takes a value. */
  readonly values: ReadonlyMap<string, Value>;
  /** What stands there that is neither. */
  readonly argument: Value;
}

/** Every place of a program, from what it says of itself. */
export function spotsOf(program: Command): Spot[] {
  const shared = [...program.options, ...helpOf(program)];
  const visit = (command: Command, path: string): Spot[] => [
    spotOf(command, path, shared),
    ...command.commands.flatMap((child) => visit(child, path === '' ? child.name() : `${path} ${child.name()}`)),
  ];
  return visit(program, '');
}

/** Options that take a value, wherever they may stand. */
export function valuedFlags(spots: readonly Spot[]): string[] {
  return [...new Set(spots.flatMap(({ values }) => [...values.keys()]))];
}

function spotOf(command: Command, path: string, shared: readonly Option[]): Spot {
  const child = defaultOf(command);
  const own = [...command.options, ...(child?.options ?? [])];
  const options = [...new Map([...own, ...shared].map((option) => [option.long ?? option.flags, option])).values()];
  const arguments_ = (child ?? command).registeredArguments.map((each) => whatFollows(each.argChoices, each.name()));
  return {
    path,
    words: [
      ...command.commands.map((sub) => ({ word: sub.name(), description: firstOf(sub.description()) })),
      ...options.flatMap(({ long, description }) => (long ? [{ word: long, description: firstOf(description) }] : [])),
    ],
    values: new Map(
      options
        .filter(({ required, optional, long }) => (required || optional) && long)
        .map(({ long, argChoices, flags }) => [String(long), whatFollows(argChoices, /<(\w+)/.exec(flags)?.[1] ?? '')]),
    ),
    argument: arguments_.find((value) => value !== 'any') ?? 'any',
  };
}

/** The subcommand that stands for its command when none is named: commander keeps its name for itself. */
function defaultOf(command: Command): Command | undefined {
  const { _defaultCommandName: name } = command as unknown as { readonly _defaultCommandName?: string };
  return command.commands.find((child) => child.name() === name);
}

function helpOf(program: Command): Option[] {
  return program
    .createHelp()
    .visibleOptions(program)
    .filter(({ long }) => long === '--help');
}

function whatFollows(choices: readonly string[] | undefined, name: string): Value {
  if (choices) return choices.map((word) => ({ word, description: '' }));
  return /^(file|folder|path)$/.test(name) ? 'file' : 'any';
}

/** The first part of a description, which fits into a menu. */
function firstOf(description: string): string {
  return description.split(/[;:(]/, 1)[0].trim();
}
