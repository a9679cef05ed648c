import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { regretPlot, type RegretPicture } from '../src/plot/regret-plot.ts';
import { elementsOf, placesOf, pointsOf, readSvg, type SvgElement } from './svg-reader.ts';

const picture = (change: Partial<RegretPicture> = {}): RegretPicture => ({
  title: 'Regret of <DAX> & others',
  subtitle: '3 tasks',
  curves: [
    { label: 'learnt', colour: 'blue', values: [1, 2, 2] },
    { label: 'random', colour: 'grey', values: [2, 4, 6] },
    { label: 'HAR', colour: 'purple', values: [-1, -2, -3] },
  ],
  zeroLabel: 'best arm',
  ...change,
});

function expectInside(root: SvgElement): void {
  const [, , width = 0, height = 0] = (root.attributes['viewBox'] ?? '').split(' ').map(Number);
  for (const [x, y] of placesOf(root)) {
    if (!(x >= 0 && x <= width && y >= 0 && y <= height)) expect.fail(`${x}, ${y} is outside`);
  }
}

describe('the picture of regret', () => {
  it('has a line for each way of forecasting, which begins at 0 and goes where it went', () => {
    const root = readSvg(regretPlot(picture()));
    expectInside(root);
    const zero = pointsOf(elementsOf(root, 'path', 'zero')[0]?.attributes['d'] ?? '')[0]?.[1] ?? 0;
    const ends = ['blue', 'grey', 'purple'].map((colour) => {
      const [line] = elementsOf(root, 'path', colour);
      const points = pointsOf(line?.attributes['d'] ?? '');
      expect(points).toHaveLength(4);
      expect(points[0]?.[1]).toBeCloseTo(zero, -0.5);
      return zero - (points.at(-1)?.[1] ?? 0);
    });
    // In units of the learnt line's end at 2, with half a pixel for the sharp line at 0.
    const unit = (ends[0] ?? 0) / 2;
    expect(Math.abs((ends[1] ?? 0) - 6 * unit)).toBeLessThan(2);
    expect(Math.abs((ends[2] ?? 0) + 3 * unit)).toBeLessThan(2);
  });

  it('names every line where it ends, and the best arm', () => {
    const texts = elementsOf(readSvg(regretPlot(picture())), 'text').map(({ text }) => text);
    expect(texts).toEqual(expect.arrayContaining(['learnt', 'random', 'HAR', 'best arm']));
    expect(texts).toContain('Regret of <DAX> & others');
  });

  it('keeps names apart and within the frame, wherever the lines end', () => {
    const ends = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
      minLength: 5,
      maxLength: 5,
    });
    fc.assert(
      fc.property(ends, (values) => {
        const curves = values.map((value, index) => ({
          label: `name ${index}`,
          colour: 'green' as const,
          values: [value],
        }));
        const root = readSvg(regretPlot(picture({ curves })));
        expectInside(root);
        const places = elementsOf(root, 'text')
          .filter(({ text }) => text.startsWith('name') || text === 'best arm')
          .map(({ attributes }) => Number(attributes['y']))
          .sort((a, b) => a - b);
        expect(places).toHaveLength(6);
        for (const [index, place] of places.entries()) {
          if (index > 0) expect(place - (places[index - 1] ?? 0)).toBeGreaterThan(14.9);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('follows the reader to a dark page', () => {
    const svg = regretPlot(picture());
    const [light = '', dark = ''] = svg.split('prefers-color-scheme:dark');
    for (const name of ['blue', 'grey', 'purple', 'orange', 'green']) {
      expect(light).toContain(`.${name}{stroke:`);
      expect(dark).toContain(`.${name}-name{fill:`);
    }
  });
});
