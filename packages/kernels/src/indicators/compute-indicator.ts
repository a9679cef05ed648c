/**
 * Indicators by name, as a task or a command line names them: `sma20`, `macd12-26-9`, `logreturn`.
 *
 * A name is a word with its parameters joined by '-'; parameters left out take their defaults. The
 * columns of indicators with several lines carry plain names under default parameters (`macd`,
 * `macdSignal`, `bollingerUpper`) and the parameters otherwise (`macd5-20-4Signal`), so that two of
 * the same kind fit into one table.
 */
import { KernelError } from '../problem.ts';
import { bollinger } from './bollinger.ts';
import { ema } from './ema.ts';
import { macd } from './macd.ts';
import { logReturns, simpleReturns } from './returns.ts';
import { rsi } from './rsi.ts';
import { sma } from './sma.ts';
import { rollingVolatility } from './volatility.ts';
import { zscore } from './zscore.ts';

/** Columns by name, each as long as the input. */
export type IndicatorColumns = Readonly<Record<string, Float64Array>>;

interface IndicatorKind {
  /** Default parameters; their number is the most that a name may carry. */
  readonly defaults: readonly number[];
  readonly compute: (
    values: Float64Array,
    parameters: readonly number[],
    name: string,
  ) => IndicatorColumns;
}

const KINDS = new Map<string, IndicatorKind>([
  [
    'return',
    { defaults: [], compute: (values, _none, name) => ({ [name]: simpleReturns(values) }) },
  ],
  [
    'logreturn',
    { defaults: [], compute: (values, _none, name) => ({ [name]: logReturns(values) }) },
  ],
  ['sma', single(20, sma)],
  ['ema', single(20, ema)],
  ['rsi', single(14, rsi)],
  ['volatility', single(20, rollingVolatility)],
  ['zscore', single(20, zscore)],
  [
    'macd',
    {
      defaults: [12, 26, 9],
      compute: (values, [fast, slow, signal], name) => {
        const lines = macd(values, fast, slow, signal);
        const prefix = name === 'macd12-26-9' ? 'macd' : name;
        return {
          [prefix]: lines.macd,
          [`${prefix}Signal`]: lines.signal,
          [`${prefix}Histogram`]: lines.histogram,
        };
      },
    },
  ],
  [
    'bollinger',
    {
      defaults: [20, 2],
      compute: (values, [period, width], name) => {
        const lines = bollinger(values, period, width);
        const prefix = name === 'bollinger20-2' ? 'bollinger' : name;
        return {
          [`${prefix}Upper`]: lines.upper,
          [`${prefix}Middle`]: lines.middle,
          [`${prefix}Lower`]: lines.lower,
        };
      },
    },
  ],
]);

/** The words that {@link computeIndicator} knows, without parameters. */
export const INDICATOR_NAMES: readonly string[] = [...KINDS.keys()];

/**
 * Computes the indicator that `spec` names (see the head of the file) and returns its columns.
 * Names are read without regard to case.
 *
 * @throws KernelError UNKNOWN_INDICATOR with the nearest name as hint, BAD_PARAMETER for its numbers
 */
export function computeIndicator(spec: string, values: Float64Array): IndicatorColumns {
  const found = /^([a-z]+)(\d+(?:\.\d+)?(?:-\d+(?:\.\d+)?)*)?$/.exec(spec.trim().toLowerCase());
  const word = found?.[1] ?? '';
  const kind = KINDS.get(word);
  if (kind === undefined) throw unknownIndicator(spec);
  const given = found?.[2]?.split('-').map(Number) ?? [];
  if (given.length > kind.defaults.length) {
    throw new KernelError(
      'BAD_PARAMETER',
      `'${spec}' carries ${given.length} numbers, but ${word} takes ${kind.defaults.length} at most.`,
      `Write ${[word + String(kind.defaults[0] ?? ''), ...kind.defaults.slice(1)].join('-')}.`,
    );
  }
  const parameters = kind.defaults.map((standard, index) => given[index] ?? standard);
  return kind.compute(values, parameters, word + parameters.join('-'));
}

function single(
  period: number,
  compute: (values: Float64Array, period: number) => Float64Array,
): IndicatorKind {
  return {
    defaults: [period],
    compute: (values, [chosen = period], name) => ({ [name]: compute(values, chosen) }),
  };
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
