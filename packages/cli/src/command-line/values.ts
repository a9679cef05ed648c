/** Reads options and positional words as checked values; every error says which option, what it had and what it needs. */
import { usageError } from '../output/command-error.ts';
import { parseDuration } from './duration.ts';
import { parseTimeOfDay } from './time-of-day.ts';
import { suggest } from './suggestion.ts';

/** Bounds of a number, both inclusive. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** What one command was called with. Positional words have names in capitals. */
export class Values {
  readonly #raw: Readonly<Record<string, unknown>>;

  constructor(raw: Readonly<Record<string, unknown>>) {
    this.#raw = raw;
  }

  /** The text of an option; undefined where it is absent. */
  text(name: string): string | undefined {
    const value = this.#raw[name];
    if (Array.isArray(value)) {
      throw usageError(`${shown(name)} was given ${value.length} times.`, 'Give it once.');
    }
    if (value === undefined) return undefined;
    if (typeof value !== 'string' || value === '') {
      throw usageError(`${shown(name)} has no value.`, `Write ${shown(name)} VALUE.`);
    }
    return value;
  }

  /** The text of an option that must be there. `example` completes the hint. */
  requiredText(name: string, example: string): string {
    const value = this.text(name);
    if (value !== undefined) return value;
    throw usageError(`${shown(name)} is missing.`, `For example: ${example}`);
  }

  /** All values of an option that may be repeated. */
  texts(name: string): string[] {
    const value = this.#raw[name];
    const values: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
    return values.map((item) => {
      if (typeof item === 'string' && item !== '') return item;
      throw usageError(`${shown(name)} has no value.`, `Write ${shown(name)} VALUE.`);
    });
  }

  /** Words separated by commas. */
  list(name: string): string[] | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const words = text.split(',').map((word) => word.trim());
    if (words.every((word) => word !== '')) return words;
    throw usageError(
      `${shown(name)} "${text}" has an empty entry.`,
      `Write ${shown(name)} a,b,c with one comma between two names.`,
    );
  }

  /** True when a switch is on. */
  isOn(name: string): boolean {
    return this.#raw[name] === true;
  }

  /** Whether a switch was given: on, off (`--no-NAME`), or not at all. */
  switchState(name: string): boolean | undefined {
    const value = this.#raw[name];
    return typeof value === 'boolean' ? value : undefined;
  }

  /** A number, decimals allowed. */
  number(name: string, bounds: Bounds = {}): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    const needed = `${shown(name)} needs a number${rangeText(bounds)}`;
    if (text.trim() === '' || !Number.isFinite(value) || isOutside(value, bounds)) {
      throw usageError(`${needed}, not "${text}".`);
    }
    return value;
  }

  /** A whole number. */
  integer(name: string, bounds: Bounds = {}): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    const isInteger = /^[+-]?\d+$/.test(text.trim()) && Number.isSafeInteger(value);
    if (!isInteger || isOutside(value, bounds)) {
      throw usageError(`${shown(name)} needs a whole number${rangeText(bounds)}, not "${text}".`);
    }
    return value;
  }

  /** One of the given words. */
  choice<const W extends readonly string[]>(name: string, words: W): W[number] | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const word: W[number] | undefined = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    throw usageError(`${shown(name)} cannot be "${text}".`, suggest(text, words));
  }

  /** Milliseconds of `500ms`, `10s`, `2m`. */
  durationMs(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = parseDuration(text);
    if (value !== undefined) return value;
    throw usageError(
      `${shown(name)} needs a duration, not "${text}".`,
      'Write for example 500ms, 10s or 2m.',
    );
  }

  /** The moment of `2026-01-31T18:00Z`. */
  timeOfDay(name: string): Date | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = parseTimeOfDay(text);
    if (value !== undefined) return value;
    throw usageError(
      `${shown(name)} needs a date and a time (ISO 8601), not "${text}".`,
      'Write for example 2026-01-31T18:00Z, or 2026-01-31T18:00 for the time of this machine.',
    );
  }

  /** Throws when two options are given that exclude each other. */
  refuseBoth(first: string, second: string): void {
    if (this.#raw[first] === undefined || this.#raw[second] === undefined) return;
    throw usageError(`${shown(first)} and ${shown(second)} exclude each other.`, 'Give one.');
  }
}

/** `--top` for an option, `ADDR` for a positional word. */
function shown(name: string): string {
  return name === name.toUpperCase() ? name : `--${name}`;
}

function isOutside(value: number, { min, max }: Bounds): boolean {
  return (min !== undefined && value < min) || (max !== undefined && value > max);
}

function rangeText({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}
