/**
 * Indicators by name, as a task or a command line names them: `sma20`, `macd12-26-9`, `logreturn`.
 *
 * A name is a word with its parameters joined by '-'; parameters left out take their defaults. The
 * columns of indicators with several lines carry plain names under default parameters (`macd`,
 * `macdSignal`, `bollingerUpper`) and the parameters otherwise (`macd5-20-4Signal`), so that two of
 * the same kind fit into one table.
 */
import { KernelError } from '../problem.ts';
import { atrMachine } from './atr.ts';
import { bollingerMachine } from './bollinger.ts';
import { emaMachine } from './ema.ts';
import { lagMachine } from './lags.ts';
import type { IndicatorMachine } from './machine.ts';
import { macdMachine } from './macd.ts';
import { obvMachine } from './obv.ts';
import { realisedVolatilityMachine } from './realised-volatility.ts';
import { logReturnMachine, simpleReturnMachine } from './returns.ts';
import { rsiMachine } from './rsi.ts';
import { smaMachine } from './sma.ts';
import { stochasticMachine } from './stochastic.ts';
import { volatilityMachine } from './volatility.ts';
import { vwapMachine } from './vwap.ts';
import { wmaMachine } from './wma.ts';
import { zscoreMachine } from './zscore.ts';

/** What a name stands for. */
export interface NamedIndicator {
  readonly machine: IndicatorMachine;
  /** Names of its lines, in order. */
  readonly columns: readonly string[];
}

/** A word and what may stand behind it. */
interface IndicatorKind {
  /** Parameters that always have a value, with their defaults. */
  readonly defaults: readonly number[];
  /** How many more numbers a name may carry. */
  readonly optional: number;
  readonly machine: (parameters: readonly number[]) => IndicatorMachine;
  /** Names of the lines for a name with its parameters. */
  readonly columns: (name: string, parameters: readonly number[]) => readonly string[];
}

/** One line, called by the whole name. */
function single(
  defaults: readonly number[],
  machine: (parameters: readonly number[]) => IndicatorMachine,
  optional: number = 0,
): IndicatorKind {
  return { defaults, optional, machine, columns: (name) => [name] };
}

/** One line, and a period that is always known. */
function ofPeriod(
  standard: number,
  machine: (period: number, more?: number) => IndicatorMachine,
  optional: number = 0,
): IndicatorKind {
  return single([standard], ([period = standard, more]) => machine(period, more), optional);
}

/** Lines called by the word alone under default parameters, and by the whole name otherwise. */
function several(
  word: string,
  defaults: readonly number[],
  suffixes: readonly string[],
  machine: (parameters: readonly number[]) => IndicatorMachine,
): IndicatorKind {
  const usual = word + defaults.join('-');
  const columns = (name: string): string[] =>
    suffixes.map((suffix) => (name === usual ? word : name) + suffix);
  return { defaults, optional: 0, machine, columns };
}

const MACD = several(
  'macd',
  [12, 26, 9],
  ['', 'Signal', 'Histogram'],
  ([fast = 12, slow = 26, signal = 9]) => macdMachine(fast, slow, signal),
);
const BOLLINGER = several(
  'bollinger',
  [20, 2],
  ['Upper', 'Middle', 'Lower'],
  ([period = 20, width = 2]) => bollingerMachine(period, width),
);
const STOCHASTIC = several('stochastic', [14, 3], ['K', 'D'], ([period = 14, smoothing = 3]) =>
  stochasticMachine(period, smoothing),
);
const LAGS: IndicatorKind = {
  defaults: [5],
  optional: 0,
  machine: ([lags = 5]) => lagMachine(lags),
  // Not called by the whole name: the first lag is the same column however many there are.
  columns: (_name, [lags = 5]) => Array.from({ length: lags }, (_, index) => `lag${index + 1}`),
};

const KINDS = new Map<string, IndicatorKind>([
  ['return', single([], () => simpleReturnMachine)],
  ['logreturn', single([], () => logReturnMachine)],
  ['sma', ofPeriod(20, smaMachine)],
  ['ema', ofPeriod(20, emaMachine)],
  ['wma', ofPeriod(20, wmaMachine)],
  ['rsi', ofPeriod(14, rsiMachine)],
  ['macd', MACD],
  ['bollinger', BOLLINGER],
  ['zscore', ofPeriod(20, zscoreMachine)],
  ['volatility', ofPeriod(20, (period, yearly = 1) => volatilityMachine(period, yearly), 1)],
  ['realised', ofPeriod(20, realisedVolatilityMachine, 1)],
  ['lags', LAGS],
  ['atr', ofPeriod(14, atrMachine)],
  ['stochastic', STOCHASTIC],
  ['obv', single([], () => obvMachine)],
  ['vwap', single([], ([period]) => vwapMachine(period), 1)],
]);

/** The words that `computeIndicator` knows, without parameters. */
export const INDICATOR_NAMES: readonly string[] = [...KINDS.keys()];

/**
 * What `spec` stands for. Names are read without regard to case.
 *
 * @throws KernelError UNKNOWN_INDICATOR with the nearest name as hint, BAD_PARAMETER for its numbers
 */
export function readIndicator(spec: string): NamedIndicator {
  const found = /^([a-z]+)(\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)*)?$/.exec(spec.trim().toLowerCase());
  const word = found?.[1] ?? '';
  const kind = KINDS.get(word);
  if (kind === undefined) throw unknownIndicator(spec);
  const given = found?.[2]?.split('-').map(Number) ?? [];
  const most = kind.defaults.length + kind.optional;
  if (given.length > most) {
    throw new KernelError(
      'BAD_PARAMETER',
      `'${spec}' carries ${given.length} numbers, but ${word} takes ${most} at most.`,
      `Write ${word + kind.defaults.join('-')}.`,
    );
  }
  const parameters = [...given, ...kind.defaults.slice(given.length)];
  const machine = kind.machine(parameters);
  return { machine, columns: kind.columns(word + parameters.join('-'), parameters) };
}

function unknownIndicator(spec: string): KernelError {
  const word = spec
    .trim()
    .toLowerCase()
    .slice(0, 40)
    .replace(/[\d.-]+$/, '');
  const nearest = INDICATOR_NAMES.map((name) => ({ name, edits: editDistance(word, name) })).sort(
    (a, b) => a.edits - b.edits,
  )[0];
  const suggestion =
    nearest !== undefined && nearest.edits <= Math.max(1, nearest.name.length / 3)
      ? `Did you mean ${nearest.name}? `
      : '';
  return new KernelError(
    'UNKNOWN_INDICATOR',
    `There is no indicator '${spec.slice(0, 60)}'.`,
    `${suggestion}Known are ${INDICATOR_NAMES.join(', ')}, with numbers behind them, as in sma20.`,
  );
}

/** Levenshtein distance: insertions, deletions and replacements between two short words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i += 1) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (row[j] as number) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
