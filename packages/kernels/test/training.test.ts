import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildLaggedWindows,
  initialiseMlp,
  mlpLossAndGradients,
  mlpParameterCount,
  predictMlp,
  RandomSource,
  sliceRows,
  splitRange,
} from '../src/index.ts';
import { at, repeat } from './reference.ts';

const type = (name: string): unknown => expect.objectContaining({ type: name });

function randomBatch(layers: readonly number[], rows: number, seed: number) {
  const random = new RandomSource(seed);
  const draw = (length: number): Float64Array =>
    Float64Array.from({ length }, () => random.nextNormal());
  const parameters = initialiseMlp(layers, seed).map((value) => value + 0.1 * random.nextNormal());
  return {
    layers,
    parameters,
    inputs: draw(rows * at(layers, 0)),
    targets: draw(rows * at(layers, layers.length - 1)),
  };
}

describe('mlpLossAndGradients', () => {
  it('equals central finite differences for networks of every shape', () => {
    const cases = fc.tuple(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 5 }),
      fc.integer({ min: 1, max: 6 }),
      fc.nat(),
    );
    fc.assert(
      fc.property(cases, ([layers, rows, seed]) => {
        const batch = randomBatch(layers, rows, seed);
        const { gradients, samples } = mlpLossAndGradients(batch);
        expect(samples).toBe(rows);
        const norm = Math.max(1, Math.sqrt(gradients.reduce((sum, g) => sum + g * g, 0)));
        for (let i = 0; i < gradients.length; i += 1) {
          const step = 1e-5;
          const shifted = [step, -step].map((change) => {
            const parameters = batch.parameters.slice();
            parameters[i] = at(parameters, i) + change;
            return mlpLossAndGradients({ ...batch, parameters }).loss;
          });
          const numeric = (at(shifted, 0) - at(shifted, 1)) / (2 * step);
          expect(Math.abs(numeric - at(gradients, i))).toBeLessThan(1e-6 * norm);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('knows a network that can be computed by hand', () => {
    // One input, one tanh unit, one output: y = 3·tanh(2x + 1) − 1.
    const parameters = Float64Array.of(2, 1, 3, -1);
    const inputs = Float64Array.of(0.5, -0.5);
    const layers = [1, 1, 1];
    const expected = [3 * Math.tanh(2) - 1, -1];
    const predictions = predictMlp({ layers, parameters, inputs });
    expect(predictions[0]).toBeCloseTo(at(expected, 0), 14);
    expect(predictions[1]).toBeCloseTo(at(expected, 1), 14);
    const targets = Float64Array.of(0, 0);
    const { loss, gradients } = mlpLossAndGradients({ layers, parameters, inputs, targets });
    expect(loss).toBeCloseTo((at(expected, 0) ** 2 + 1) / 2, 14);
    expect(gradients[3]).toBeCloseTo(at(expected, 0) + at(expected, 1), 14);
  });

  it('a batch is the average of its shards, weighted by their rows', () => {
    const layers = [3, 4, 2];
    const batch = randomBatch(layers, 10, 77);
    const whole = mlpLossAndGradients(batch);
    const average = new Float64Array(whole.gradients.length);
    for (const { start, end } of splitRange(10, 3)) {
      const inputs = batch.inputs.subarray(start * 3, end * 3);
      const targets = batch.targets.subarray(start * 2, end * 2);
      const shard = mlpLossAndGradients({ ...batch, inputs, targets });
      shard.gradients.forEach((gradient, i) => {
        average[i] = at(average, i) + (gradient * shard.samples) / 10;
      });
    }
    average.forEach((value, i) => expect(value).toBeCloseTo(at(whole.gradients, i), 13));
  });

  it('descends: following the gradient learns a curve', () => {
    const layers = [1, 8, 1];
    const inputs = Float64Array.from({ length: 40 }, (_, i) => i / 20 - 1);
    const targets = inputs.map((x) => Math.sin(3 * x));
    const parameters = initialiseMlp(layers, 3);
    const first = mlpLossAndGradients({ layers, parameters, inputs, targets }).loss;
    let last = first;
    for (let step = 0; step < 2000; step += 1) {
      const { loss, gradients } = mlpLossAndGradients({ layers, parameters, inputs, targets });
      last = loss;
      gradients.forEach((gradient, i) => {
        parameters[i] = at(parameters, i) - 0.1 * gradient;
      });
    }
    expect(last).toBeLessThan(first / 50);
  });

  it('raises typed problems', () => {
    const batch = randomBatch([2, 3, 1], 4, 1);
    const run = (change: object) => () => mlpLossAndGradients({ ...batch, ...change });
    expect(run({ layers: [2] })).toThrow(type('BAD_PARAMETER'));
    expect(run({ layers: [2, 0, 1] })).toThrow(type('BAD_PARAMETER'));
    expect(run({ layers: [1e6, 1e6] })).toThrow(type('BAD_PARAMETER'));
    expect(run({ parameters: new Float64Array(12) })).toThrow(type('LENGTH_MISMATCH'));
    expect(run({ inputs: new Float64Array(7) })).toThrow(type('LENGTH_MISMATCH'));
    expect(run({ targets: new Float64Array(5) })).toThrow(type('LENGTH_MISMATCH'));
    const nothing = { inputs: new Float64Array(0), targets: new Float64Array(0) };
    expect(run(nothing)).toThrow(type('EMPTY_SERIES'));
  });
});

describe('initialiseMlp', () => {
  it('is fixed by its seed, within the Glorot range, with zero biases', () => {
    const layers = [4, 8, 2];
    const parameters = initialiseMlp(layers, 42);
    expect(parameters.length).toBe(mlpParameterCount(layers));
    expect(parameters.length).toBe(4 * 8 + 8 + 8 * 2 + 2);
    expect(initialiseMlp(layers, 42)).toEqual(parameters);
    expect(initialiseMlp(layers, 43)).not.toEqual(parameters);
    const reach = Math.sqrt(6 / 12);
    const weights = parameters.subarray(0, 32);
    expect(weights.every((weight) => Math.abs(weight) <= reach)).toBe(true);
    expect(new Set(weights).size).toBe(32);
    expect([...parameters.subarray(32, 40), ...parameters.subarray(56)]).toEqual(repeat(0, 10));
    expect(() => initialiseMlp(layers, -1)).toThrow(type('BAD_PARAMETER'));
  });
});

describe('RandomSource', () => {
  it('repeats by seed, covers its range evenly, and tells near seeds apart', () => {
    const draw = (seed: number, length: number): number[] => {
      const random = new RandomSource(seed);
      return Array.from({ length }, () => random.nextFloat());
    };
    expect(draw(9, 20)).toEqual(draw(9, 20));
    expect(draw(0, 4)).not.toEqual(draw(1, 4));
    expect(draw(2 ** 32, 4)).not.toEqual(draw(0, 4));
    const buckets = repeat(0, 10);
    for (const value of draw(1, 20_000)) {
      const bucket = Math.floor(value * 10);
      buckets[bucket] = at(buckets, bucket) + 1;
    }
    expect(Math.min(...buckets)).toBeGreaterThan(1850);
    expect(Math.max(...buckets)).toBeLessThan(2150);
    const random = new RandomSource(4);
    const normals = Array.from({ length: 20_000 }, () => random.nextNormal());
    const mean = normals.reduce((sum, value) => sum + value, 0) / normals.length;
    const variance = normals.reduce((sum, value) => sum + value * value, 0) / normals.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.04);
  });
});

describe('buildLaggedWindows', () => {
  it('puts the returns before a return into its row, oldest first', () => {
    const series = Float64Array.from([0, 1, 3, 6, 10, 15], (value) => Math.exp(value));
    const rows = buildLaggedWindows({ series, lags: 2, scale: 100 });
    expect(rows.rows).toBe(3);
    expect(rows.features).toBe(2);
    expect([...rows.inputs].map(Math.round)).toEqual([100, 200, 200, 300, 300, 400]);
    expect([...rows.targets].map(Math.round)).toEqual([300, 400, 500]);
    expect([...rows.targetIndices]).toEqual([3, 4, 5]);
  });

  it('drops exactly the rows that touch a gap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(1, 2, 3, 4, NaN, 0), { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        (values, lags) => {
          const { targetIndices, inputs, targets, rows } = buildLaggedWindows({
            series: Float64Array.from(values),
            lags,
          });
          const expected = values.flatMap((_value, i) => {
            const window = values.slice(Math.max(0, i - lags - 1), i + 1);
            return window.length === lags + 2 && window.every((v) => v > 0) ? [i] : [];
          });
          expect([...targetIndices]).toEqual(expected);
          expect(inputs.length).toBe(rows * lags);
          expect([...inputs, ...targets].every(Number.isFinite)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('is cut into shards without loss', () => {
    const series = Float64Array.from({ length: 50 }, (_, i) => 2 + Math.sin(i));
    const all = buildLaggedWindows({ series, lags: 3 });
    const shards = splitRange(all.rows, 4).map((range) => sliceRows(all, range));
    expect(shards.flatMap((shard) => [...shard.inputs])).toEqual([...all.inputs]);
    expect(shards.flatMap((shard) => [...shard.targets])).toEqual([...all.targets]);
    expect(shards.map((shard) => shard.rows)).toEqual([12, 12, 11, 11]);
    expect(() => sliceRows(all, { start: 3, end: 999 })).toThrow(type('BAD_PARAMETER'));
    expect(() => buildLaggedWindows({ series, lags: 0 })).toThrow(type('BAD_PARAMETER'));
    expect(splitRange(2, 3)).toEqual([
      { start: 0, end: 1 },
      { start: 1, end: 2 },
      { start: 2, end: 2 },
    ]);
  });
});
