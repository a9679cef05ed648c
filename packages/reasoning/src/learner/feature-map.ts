/**
 * From an arm and a context to a point, by the values of the parameters alone. Arms with similar values are near each
 * other, so that a linear model over these features learns about all of them from each.
 *
 * | feature               | how many                                  | value                                            |
 * | --------------------- | ----------------------------------------- | ------------------------------------------------ |
 * | constant              | 1                                         | 1                                                |
 * | a number              | 1                                         | scaled to [−1, 1], see below                     |
 * | a boolean             | 1                                         | −1 or 1                                          |
 * | a text, or mixed kinds | 1 per value (1 in all for two values)    | 1 for its own and 0 for others (−1 and 1 for two) |
 * | the square of a number | 1, where it has three values or more     | of the scaled number                             |
 * | the context           | 1 per number                              | the number, within ±4                            |
 * | products              | 1 per pair of features of two parameters  | of the features; squares take no part            |
 * | context × parameter   | 1 per number and feature of a parameter   | of both, times 0.2; squares take no part         |
 *
 * Numbers are scaled logarithmically where all values are over 0 and the largest is 4 times the smallest or more.
 * A parameter with the same value in all arms has no feature. At most 64 features are kept, from the top of the table
 * to its end; {@link FeatureMap.omitted} names those that were left out.
 */
import type { Arm } from '@quic-swarm/protocol';

const FEATURES_MAX = 64;
const LOGARITHMIC_FROM_RATIO = 4;

/** A context is meant to be about standardised; one wild number must not drown what all others say. */
const CONTEXT_MAX = 4;

/**
 * What multiplies the context in products with parameters. Ridge regression shrinks small features more: which arm is
 * best is believed to depend less on the context than on the arm, until the tasks say otherwise.
 */
const CROSS_SCALE = 0.2;

/** A feature of arms: its value for each arm. */
interface Column {
  readonly parameter: string;
  readonly name: string;
  readonly values: readonly number[];
}

/** A number of the context that counts differently for different arms. */
interface Cross {
  readonly contextIndex: number;
  readonly column: Column;
}

/** See the head of the file. */
export class FeatureMap {
  /** Features in a point. */
  readonly dimension: number;
  /** What each feature is, in the order of the points. */
  readonly names: readonly string[];
  /** Features that did not fit. */
  readonly omitted: readonly string[];
  readonly #contextLength: number;
  /** The features that depend on the arm alone: for each arm, those in a row. */
  readonly #armPoints: readonly Float64Array[];
  readonly #contextFeatures: number;
  /** The context × parameter features: which number of the context, and for each arm what multiplies it. */
  readonly #crossPlaces: Uint8Array;
  readonly #crossFactors: readonly Float64Array[];

  /** @param arms with the same parameters, see ArmSpace */
  constructor(arms: readonly Arm[], contextLength: number) {
    const linear = linearColumns(arms);
    const budget = new Budget(FEATURES_MAX - 1);
    const places = Array.from({ length: contextLength }, (_, index) => index);
    const ownColumns = budget.take([...linear, ...squareColumns(arms, linear)], nameOf);
    const contextFeatures = budget.take(places, contextName);
    const products = budget.take(productColumns(linear), nameOf);
    const crosses = budget.take(
      linear.flatMap((column) => places.map((contextIndex) => ({ contextIndex, column }))),
      crossName,
    );
    this.#crossPlaces = Uint8Array.from(crosses, ({ contextIndex }) => contextIndex);
    this.#crossFactors = arms.map((_, arm) =>
      Float64Array.from(crosses, ({ column }) => CROSS_SCALE * (column.values[arm] ?? 0)),
    );
    const armColumns = [...ownColumns, ...products];
    this.#armPoints = arms.map((_, arm) =>
      Float64Array.from([1, ...armColumns.map(({ values }) => values[arm] ?? 0)]),
    );
    this.#contextLength = contextLength;
    this.#contextFeatures = contextFeatures.length;
    this.omitted = budget.omitted;
    this.names = [
      '1',
      ...armColumns.map(nameOf),
      ...contextFeatures.map(contextName),
      ...crosses.map(crossName),
    ];
    this.dimension = this.names.length;
  }

  /**
   * Writes the point of an arm in a context into `point`, which has {@link dimension} numbers.
   *
   * @throws RangeError when there is no such arm, or the context has another length or a number that is not finite
   */
  write(armIndex: number, context: ArrayLike<number>, point: Float64Array): void {
    const armPoint = this.#armPoints[armIndex];
    const factors = this.#crossFactors[armIndex];
    if (armPoint === undefined || factors === undefined) {
      throw new RangeError(`There is no arm ${armIndex}.`);
    }
    this.#requireContext(context);
    point.set(armPoint);
    let place = armPoint.length;
    for (let index = 0; index < this.#contextFeatures; index += 1) {
      point[place] = within(context[index] as number);
      place += 1;
    }
    for (let index = 0; index < factors.length; index += 1) {
      const number = context[this.#crossPlaces[index] as number] as number;
      point[place] = within(number) * (factors[index] as number);
      place += 1;
    }
  }

  /**
   * Writes a constant and the context, which is all that models of single arms look at, into `point`.
   *
   * @throws RangeError as {@link write}
   */
  writeContext(context: ArrayLike<number>, point: Float64Array): void {
    this.#requireContext(context);
    point[0] = 1;
    for (let index = 0; index < context.length; index += 1) {
      point[index + 1] = within(context[index] as number);
    }
  }

  #requireContext(context: ArrayLike<number>): void {
    if (context.length !== this.#contextLength) {
      throw new RangeError(
        `A context must have ${this.#contextLength} numbers, not ${context.length}.`,
      );
    }
    for (let index = 0; index < context.length; index += 1) {
      if (Number.isFinite(context[index])) continue;
      throw new RangeError(`Number ${index} of a context must be finite, not ${context[index]}.`);
    }
  }
}

/** Bounds how many features there are, and remembers which ones did not fit. */
class Budget {
  readonly omitted: string[] = [];
  #left: number;

  constructor(left: number) {
    this.#left = left;
  }

  take<T>(wanted: readonly T[], name: (item: T) => string): T[] {
    const taken = wanted.slice(0, this.#left);
    this.#left -= taken.length;
    this.omitted.push(...wanted.slice(taken.length).map(name));
    return taken;
  }
}

function within(value: number): number {
  return Math.min(CONTEXT_MAX, Math.max(-CONTEXT_MAX, value));
}

const nameOf = ({ name }: Column): string => name;
const crossName = ({ contextIndex, column }: Cross): string =>
  `${contextName(contextIndex)} × ${column.name}`;
const contextName = (index: number): string => `context ${index}`;

function linearColumns(arms: readonly Arm[]): Column[] {
  return Object.keys(arms[0] ?? {})
    .sort()
    .flatMap((parameter) =>
      columnsOf(
        parameter,
        arms.map((arm) => arm[parameter] ?? ''),
      ),
    );
}

/** The features of one parameter, given its value in each arm. */
function columnsOf(parameter: string, values: readonly Arm[string][]): Column[] {
  // A map tells the number 1 from the text '1'.
  const distinct = [...new Set(values)];
  if (distinct.length < 2) return [];
  if (isNumbers(values)) {
    return [{ parameter, name: parameter, values: scaled(values) }];
  }
  if (values.every((value) => typeof value === 'boolean')) {
    return [{ parameter, name: parameter, values: values.map((value) => (value ? 1 : -1)) }];
  }
  const [first, second] = distinct;
  if (distinct.length === 2) {
    const name = `${parameter}=${String(second)}`;
    return [{ parameter, name, values: values.map((value) => (value === first ? -1 : 1)) }];
  }
  return distinct.map((own) => ({
    parameter,
    name: `${parameter}=${String(own)}`,
    values: values.map((value) => (value === own ? 1 : 0)),
  }));
}

function isNumbers(values: readonly Arm[string][]): values is readonly number[] {
  return values.every((value) => typeof value === 'number');
}

/** Numbers on a scale from −1 (the smallest) to 1. */
function scaled(values: readonly number[]): number[] {
  const lowest = Math.min(...values);
  const isLogarithmic = lowest > 0 && Math.max(...values) / lowest >= LOGARITHMIC_FROM_RATIO;
  const places = isLogarithmic ? values.map(Math.log) : values;
  const low = Math.min(...places);
  const high = Math.max(...places);
  // The span of two huge numbers of different sign is infinite, that of their halves is not.
  const unit = high - low < Number.POSITIVE_INFINITY ? 1 : 0.5;
  const span = high * unit - low * unit;
  return places.map((place) => 2 * ((place * unit - low * unit) / span) - 1);
}

function squareColumns(arms: readonly Arm[], linear: readonly Column[]): Column[] {
  return linear
    .filter(
      ({ parameter, values }) =>
        isNumbers(arms.map((arm) => arm[parameter] ?? '')) && new Set(values).size > 2,
    )
    .map(({ parameter, name, values }) => ({
      parameter,
      name: `${name}²`,
      values: values.map((value) => value * value),
    }));
}

function productColumns(linear: readonly Column[]): Column[] {
  return linear.flatMap((left, index) =>
    linear
      .slice(index + 1)
      .filter(({ parameter }) => parameter !== left.parameter)
      .map((right) => ({
        parameter: left.parameter,
        name: `${left.name} × ${right.name}`,
        values: left.values.map((value, arm) => value * (right.values[arm] ?? 0)),
      })),
  );
}
