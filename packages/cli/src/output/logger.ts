/**
 * Logs of the servers: pino to stderr, one JSON object per line, or a readable line where a person watches. Written
 * synchronously, so that the last words of a process that ends are not lost; nothing logs per message.
 */
import { pino, type Logger } from 'pino';
import { usageError } from './command-error.ts';
import { suggest } from '../command-line/suggestion.ts';
import type { Style, Terminal } from './terminal.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The names of pino's numbers, and how they look. */
const SHOWN_LEVELS: Readonly<Record<number, readonly [string, Style]>> = {
  10: ['trace', 'dim'],
  20: ['debug', 'dim'],
  30: ['info', 'green'],
  40: ['warn', 'yellow'],
  50: ['error', 'red'],
  60: ['fatal', 'red'],
};

/** A logger for a server. @throws BAD_OPTION for an unknown level */
export function createLogger(terminal: Terminal, level = 'info'): Logger {
  if (!(LEVELS as readonly string[]).includes(level)) {
    throw usageError(`--log-level cannot be "${level}".`, suggest(level, LEVELS));
  }
  const write = terminal.isWatched
    ? (line: string): boolean => terminal.stderr.write(`${readableLine(line, terminal)}\n`)
    : (line: string): boolean => terminal.stderr.write(line);
  return pino({ level, base: null }, { write });
}

/** One line of pino's JSON as a person reads it: time, level, message, then the fields. */
export function readableLine(line: string, terminal: Terminal): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as {
    level: number;
    time: number;
    msg?: string;
    readonly [field: string]: unknown;
  };
  const [name, style] = SHOWN_LEVELS[level] ?? ['info', 'green'];
  const clock = new Date(time).toTimeString().slice(0, 8);
  const texts = Object.entries(fields).map(([key, value]) => `${key}=${textOf(value)}`);
  const rest = texts.length === 0 ? '' : ` ${terminal.paintNote('dim', texts.join(' '))}`;
  return `${terminal.paintNote('dim', clock)} ${terminal.paintNote(style, name.padEnd(5))} ${msg ?? ''}${rest}`;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
