/** Kernels beside packages of npm, which are installed in this folder. */
import { createRequire } from 'node:module';
import { dtwDistance, lcsLength, RandomSource, symbolise, zNormalise } from '@quic-swarm/kernels';
import { describe, inject, it } from 'vitest';
import { columnOf } from '../../packages/kernels/test/oracle-questions.ts';
import { Agreement } from './agreement.ts';
import { ENGINES } from './engines.ts';
import { index, integerBelow, returnsOf } from './made-columns.ts';

/** What is used of packages without types. */
interface UntypedPackages {
  readonly dtw: new (options: { distanceMetric: 'squaredEuclidean' }) => {
    compute(a: readonly number[], b: readonly number[], window: number): number;
  };
  readonly midstreamer: {
    readonly TemporalCompare: new () => { lcs(a: Int32Array, b: Int32Array): number };
  };
}

function untyped<Name extends keyof UntypedPackages>(name: Name): UntypedPackages[Name] {
  return createRequire(import.meta.url)(name) as UntypedPackages[Name];
}

describe.runIf(inject('oracles').dtw.isThere)('npm dtw', () => {
  const agreement = new Agreement('npm dtw');

  function compare(what: string, a: Float64Array, b: Float64Array, band: number): void {
    const Dtw = untyped('dtw');
    const oracle = new Dtw({ distanceMetric: 'squaredEuclidean' });
    const wanted = Math.sqrt(oracle.compute([...a], [...b], band));
    for (const engine of ENGINES) {
      const found = dtwDistance(a, b, { band }, engine);
      agreement.value(`${what}, ${engine.route}`, found, wanted, 1e-12);
    }
  }

  it('gives the same distances of random series of any lengths', () => {
    const random = new RandomSource(21);
    for (let round = 0; round < 400; round += 1) {
      const [a, b] = [0, 1].map(() =>
        Float64Array.from({ length: 1 + integerBelow(random, 80) }, () => random.nextNormal()),
      ) as [Float64Array, Float64Array];
      const least = Math.abs(a.length - b.length);
      const most = Math.max(a.length, b.length) - 1;
      compare('random', a, b, least + integerBelow(random, most - least + 1));
    }
  });

  it('gives the same distances of real quarters and years', () => {
    const [dax, ftse] = [columnOf(index('DAX')), columnOf(index('FTSE'))];
    for (const [length, band] of [
      [64, 0],
      [64, 6],
      [256, 25],
      [256, 255],
    ] as const) {
      for (let start = 0; start + length <= dax.length; start += 200) {
        compare('real', zNormalise(dax, start, length), zNormalise(ftse, start, length), band);
      }
    }
  });
});

describe.runIf(inject('oracles').midstreamer.isThere)('npm midstreamer', () => {
  const agreement = new Agreement('npm midstreamer');

  function compare(what: string, a: Int32Array, b: Int32Array): void {
    const { TemporalCompare } = untyped('midstreamer');
    const wanted = new TemporalCompare().lcs(a, b);
    for (const engine of ENGINES) {
      agreement.value(`${what}, ${engine.route}`, lcsLength(a, b, engine), wanted, 0);
    }
  }

  it('gives the same common subsequences of random symbols', () => {
    const random = new RandomSource(22);
    for (let round = 0; round < 300; round += 1) {
      const alphabet = 2 + integerBelow(random, 20);
      const [a, b] = [0, 1].map(() =>
        Int32Array.from({ length: 1 + integerBelow(random, 300) }, () =>
          integerBelow(random, alphabet),
        ),
      ) as [Int32Array, Int32Array];
      compare('random', a, b);
    }
  });

  it('gives the same common subsequences of real returns', () => {
    const names = ['DAX', 'SMI', 'CAC', 'FTSE'] as const;
    const symbols = names.map((name) => symbolise(columnOf(returnsOf(name)), { method: 'sax' }));
    for (const a of symbols) for (const b of symbols) compare('real', a, b);
  });
});
