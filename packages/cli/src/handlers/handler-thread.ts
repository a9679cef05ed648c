/**
 * Runs in a worker thread: the module of one task type of a handler file. Which one stands in the query of its own
 * URL, so that every task type has a module of its own although all functions live in one file.
 */
import { handlersOf } from './handler-file.ts';

type Handler = (input: unknown, context: unknown) => unknown;

const { searchParams } = new URL(import.meta.url);
const file = searchParams.get('file') ?? '';
const taskType = searchParams.get('task') ?? '';

const exports = (await import(file)) as Readonly<Record<string, unknown>>;
const found = handlersOf(exports)[taskType];
if (typeof found !== 'function') throw new Error(`${file} has no function "${taskType}".`);

const handler: Handler = found as Handler;
export default handler;
