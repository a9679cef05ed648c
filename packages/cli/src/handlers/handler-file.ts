/**
 * `--handlers FILE`: an ES module whose default export maps task names to functions, or whose named exports are such
 * functions. It is imported here once to learn the names; the functions themselves run in worker threads, each of
 * which imports the file again (see handler-thread.ts).
 *
 * A file may say what can be tuned in its functions: `export const tunable = { 'my.task': { arms: [{ n: 1 }, { n: 2 }] } }`.
 */
import type { TunableParameters } from '@quic-swarm/agent';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TASK_TYPE_PATTERN } from '../command-line/names.ts';
import { usageError } from '../output/command-error.ts';

/** One task type of a handler file. */
export interface FileHandler {
  readonly taskType: string;
  /** A module whose default export is the handler. */
  readonly module: URL;
  /** What the file says that can be tuned in it, as it stands there. */
  readonly tunable: TunableParameters | undefined;
}

/** The handlers of a file. @throws BAD_OPTION when it cannot be loaded or has none */
export async function readHandlerFile(path: string): Promise<FileHandler[]> {
  const file = pathToFileURL(resolve(path)).href;
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = (await import(file)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw usageError(
      `--handlers ${path} cannot be loaded: ${reason}`,
      "It is an ES module:  export default { 'my.task': (input, context) => … }",
    );
  }
  const names = handlerNames(exports);
  const wrong = names.find((name) => !TASK_TYPE_PATTERN.test(name));
  if (names.length === 0 || wrong !== undefined) {
    throw usageError(
      wrong === undefined
        ? `--handlers ${path} exports no function.`
        : `--handlers ${path}: "${wrong}" is not a task name.`,
      "Write  export default { 'my.task': (input, context) => … }",
    );
  }
  const tunables = tunablesOf(exports);
  const stranger = Object.keys(tunables).find((name) => !names.includes(name));
  if (stranger !== undefined) {
    throw usageError(
      `--handlers ${path}: tunable names "${stranger}", which is no function of it.`,
      `It has ${names.join(', ')}.`,
    );
  }
  return names.map((taskType) => ({
    taskType,
    module: moduleOf(file, taskType),
    // The agent checks what it is.
    tunable: tunables[taskType] as TunableParameters | undefined,
  }));
}

/** What a module says of its functions; a function of that name is a task like any other. */
function tunablesOf({ tunable }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return typeof tunable === 'object' && tunable !== null ? { ...tunable } : {};
}

/** The names under which a module exports functions; its default export wins when it is a map of them. */
export function handlerNames(exports: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(handlersOf(exports)).flatMap(([name, value]) =>
    typeof value === 'function' ? [name] : [],
  );
}

/** The object that holds the functions of a module. */
export function handlersOf(
  exports: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { default: main } = exports;
  return typeof main === 'object' && main !== null
    ? (main as Readonly<Record<string, unknown>>)
    : exports;
}

function moduleOf(file: string, taskType: string): URL {
  const suffix = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const module = new URL(`./handler-thread${suffix}`, import.meta.url);
  module.searchParams.set('file', file);
  module.searchParams.set('task', taskType);
  return module;
}
