import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { colourRules, COLOUR_STEPS, stepOf } from '../src/plot/colour-scale.ts';
import { correlationPlot, type CorrelationPicture } from '../src/plot/correlation-plot.ts';
import { PANELS_MAX, patternPlot, type PatternPicture } from '../src/plot/pattern-plot.ts';
import { extentOf, linePath, niceTicks } from '../src/plot/scale.ts';
import { fitted, textWidth } from '../src/plot/svg.ts';
import { elementsOf, placesOf, pointsOf, readSvg, type SvgElement } from './svg-reader.ts';

const NASTY = `<a href="x">&amp; ' ]]> \u0000\u001b\ud800 水 😀`;
const AS_SHOWN = `<a href="x">&amp; ' ]]> \ufffd\ufffd\ufffd 水 😀`;

/** Everything must be finite and within the picture. */
function expectInside(root: SvgElement): void {
  const [left, top, width = 0, height = 0] = (root.attributes['viewBox'] ?? '')
    .split(' ')
    .map(Number);
  expect([left, top]).toEqual([0, 0]);
  expect([root.attributes['width'], root.attributes['height']]).toEqual([`${width}`, `${height}`]);
  for (const [x, y] of placesOf(root)) {
    const isInside = x >= 0 && x <= width && y >= 0 && y <= height;
    if (!isInside) expect.fail(`${x}, ${y} is not within ${width} × ${height}`);
  }
}

function wave(length: number, phase = 0): Float64Array {
  return Float64Array.from({ length }, (_, i) => 100 + Math.sin(i / 5 + phase) * 9 + i / 50);
}

function picture(change: Partial<PatternPicture> = {}): PatternPicture {
  const series = change.series ?? wave(500);
  return {
    algorithm: 'dtw',
    band: 3,
    normalise: 'z',
    name: 'DAX',
    source: 'prices.csv',
    series,
    query: series.slice(0, 40),
    queryRows: { start: 0, end: 40 },
    matches: [
      { start: 100, length: 40, distance: 1.234_56 },
      { start: 460, length: 40, distance: 2 },
    ],
    ...change,
  };
}

describe('the picture of a pattern search', () => {
  it('has a panel per match with the query beneath it, and both places in the series', () => {
    const root = readSvg(patternPlot(picture()));
    expectInside(root);
    const panels = elementsOf(root, 'g', 'panel');
    expect(panels).toHaveLength(2);
    for (const [index, panel] of panels.entries()) {
      const lines = ['query', 'match'].map((name) => elementsOf(panel, 'path', name));
      expect(lines.map(({ length }) => length)).toEqual([1, 1]);
      const texts = elementsOf(panel, 'text').map(({ text }) => text);
      expect(texts.slice(0, 3)).toEqual([
        String(index + 1),
        `from row ${[100, 460][index]}`,
        `distance ${['1.235', '2'][index]}`,
      ]);
    }
    const bands = elementsOf(root, 'rect', 'match-rows');
    const first = Number(bands[0]?.attributes['x']);
    // Row 100 of 0 … 499 lies a fifth from the left of a strip from 66 to 928.
    expect(first).toBeCloseTo(66 + (100 / 499) * 862, 1);
    expect(bands).toHaveLength(2);
    expect(elementsOf(root, 'rect', 'query-rows')).toHaveLength(1);
    expect(elementsOf(root, 'path', 'series')).toHaveLength(1);
  });

  it('draws a match that is the query, at another level and size, exactly over it', () => {
    const series = wave(300);
    for (let i = 0; i < 40; i += 1) series[200 + i] = (series[i] ?? 0) * 4 - 1000;
    const matches = [{ start: 200, length: 40, distance: 0 }];
    const [panel] = elementsOf(readSvg(patternPlot(picture({ series, matches }))), 'g', 'panel');
    const lineOf = (name: string): [number, number][] =>
      pointsOf(
        panel === undefined ? '' : (elementsOf(panel, 'path', name)[0]?.attributes['d'] ?? ''),
      );
    expect(lineOf('match')).toHaveLength(40);
    for (const [index, [x, y]] of lineOf('match').entries()) {
      expect(x).toBe(lineOf('query')[index]?.[0]);
      expect(y).toBeCloseTo(lineOf('query')[index]?.[1] ?? 0, 1);
    }
  });

  it('stays within its frame and well-formed for data of every kind', () => {
    const value = fc.oneof(
      fc.double(),
      fc.constantFrom(NaN, Infinity, 0, 1e150, -1e150, 5e-324, 1e300, 7),
      fc.integer({ min: -3, max: 3 }),
    );
    const names = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(NASTY, ''));
    const cases = fc.record({
      series: fc.array(value, { minLength: 1, maxLength: 120 }),
      length: fc.nat({ max: 30 }),
      starts: fc.array(fc.nat(), { maxLength: 14 }),
      name: names,
      source: names,
      normalise: fc.constantFrom('z' as const, 'none' as const),
      similarity: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
      distance: fc.constantFrom(0, 1.5, 1e-300, 1e155, 3.25e7),
      hasRows: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, (draw) => {
        const series = Float64Array.from(draw.series);
        const length = Math.min(series.length, draw.length + 1);
        const last = series.length - length + 1;
        const { name, source, normalise, similarity, distance } = draw;
        const matches = draw.starts.map((start) => ({
          start: start % last,
          length,
          distance,
          similarity,
        }));
        const query = series.slice(0, length).map((item) => (Math.abs(item) <= 1e150 ? item : 0));
        const queryRows = draw.hasRows ? { start: 0, end: length } : undefined;
        const change = { series, query, queryRows, matches, name, source, normalise };
        const svg = patternPlot(picture(change));
        const root = readSvg(svg);
        expectInside(root);
        expect(elementsOf(root, 'g', 'panel')).toHaveLength(Math.min(PANELS_MAX, matches.length));
        expect(patternPlot(picture(change))).toBe(svg);
      }),
      { numRuns: 200 },
    );
  });

  it('shows ten of many matches, and where the others are', () => {
    const matches = Array.from({ length: 300 }, (_, start) => ({
      start,
      length: 40,
      distance: start,
    }));
    const root = readSvg(patternPlot(picture({ matches })));
    expectInside(root);
    expect(elementsOf(root, 'g', 'panel')).toHaveLength(10);
    expect(elementsOf(root, 'rect', 'match-rows')).toHaveLength(10);
    const [others] = elementsOf(root, 'path', 'others');
    expect(pointsOf(others?.attributes['d'] ?? '').length).toBe(2 * 290);
    expect(root.children.map(({ text }) => text)).toContainEqual(
      expect.stringContaining('the best 10 shown'),
    );
  });

  it('keeps a million points small, with every extreme', () => {
    const series = Float64Array.from({ length: 1_000_000 }, (_, i) => Math.sin(i * i));
    series[777_777] = 50;
    const svg = patternPlot(picture({ series, query: series.slice(0, 40) }));
    expect(svg.length).toBeLessThan(80_000);
    const [line] = elementsOf(readSvg(svg), 'path', 'series');
    const points = pointsOf(line?.attributes['d'] ?? '');
    const [peakX] = points.reduce((best, point) => (point[1] < best[1] ? point : best));
    expect(peakX).toBeCloseTo(66 + 0.777_777 * 862, 0);
  });

  it('breaks its lines at gaps and shows a value between two gaps', () => {
    const same = (value: number): number => value;
    const d = linePath(Float64Array.of(1, 2, NaN, 3, NaN, 4, 5), same, same);
    expect(d).toBe('M0 1L1 2M3 3h0M5 4L6 5');
  });
});

describe('the heat map', () => {
  const square = (columns: readonly string[], values: readonly number[]): CorrelationPicture => ({
    method: 'pearson',
    columns,
    rows: 250,
    matrix: Float64Array.from(values),
    overlap: new Uint32Array(values.length).fill(250),
    source: 'prices.csv',
  });

  it('has a cell with its value per pair, each in the colour of its coefficient', () => {
    const root = readSvg(correlationPlot(square(['a', 'b'], [1, -0.426, -0.426, 1])));
    expectInside(root);
    const [cells] = elementsOf(root, 'g', 'cells');
    const rects = cells?.children.filter(({ name }) => name === 'rect') ?? [];
    expect(rects.map(({ attributes }) => attributes['class'])).toEqual([
      's40',
      's11',
      's11',
      's40',
    ]);
    const texts = cells?.children.filter(({ name }) => name === 'text').map(({ text }) => text);
    expect(texts).toEqual(['1.00', '−0.43', '−0.43', '1.00']);
    expect(rects[1]?.children[0]?.text).toBe('a and b: −0.4260 (250 rows)');
    const [legend] = elementsOf(root, 'g', 'legend');
    expect(legend?.children.filter(({ name }) => name === 'rect')).toHaveLength(COLOUR_STEPS);
  });

  it('hatches what has no coefficient, and says so', () => {
    const root = readSvg(correlationPlot(square(['a', 'b'], [1, NaN, NaN, NaN])));
    const hatched = elementsOf(root, 'rect').filter(
      ({ attributes }) => attributes['fill'] === 'url(#none)',
    );
    // Three cells and the swatch of the legend.
    expect(hatched).toHaveLength(4);
    expect(elementsOf(root, 'text').map(({ text }) => text)).toContain('no coefficient');
    const complete = correlationPlot(square(['a', 'b'], [1, 0, 0, 1]));
    expect(complete).not.toContain('no coefficient');
  });

  it.each([1, 2, 14, 15, 40, 100, 200])(
    'of %i columns is complete and within its frame',
    (count) => {
      const columns = Array.from({ length: count }, (_, i) => `strategy ${i}`);
      const values = Array.from({ length: count * count }, (_, i) => Math.cos(i));
      const root = readSvg(correlationPlot(square(columns, values)));
      expectInside(root);
      const [cells] = elementsOf(root, 'g', 'cells');
      expect(cells?.children.filter(({ name }) => name === 'rect')).toHaveLength(count * count);
      expect(
        elementsOf(root, 'text').filter(({ text }) => text === `strategy ${count - 1}`),
      ).toHaveLength(2);
      const widest = Math.max(...placesOf(root).map(([x]) => x));
      expect(widest).toBeLessThan(1200);
    },
  );

  it('survives names of every kind and no columns at all', () => {
    const nasty = [NASTY, 'x'.repeat(128), ''];
    const values = Array.from({ length: 9 }, () => 0.5);
    const root = readSvg(correlationPlot(square(nasty, values)));
    expectInside(root);
    expect(elementsOf(root, 'desc')[0]?.text).toContain(AS_SHOWN);
    for (const { text } of elementsOf(root, 'text')) expect(textWidth(text, 12)).toBeLessThan(500);
    expectInside(readSvg(correlationPlot(square([], []))));
  });

  it('writes on each colour with a contrast that people can read, on both pages', () => {
    const luminance = (colour: string): number => {
      const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
      const [r = 0, g = 0, b = 0] = channels.map((c) =>
        c <= 0.040_45 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    for (const page of ['light', 'dark'] as const) {
      const rules = colourRules(page);
      expect(rules).toHaveLength(COLOUR_STEPS);
      const strengths = rules.map((rule) => {
        const [cell = '', ink = ''] = rule.match(/#[0-9a-f]{6}/g) ?? [];
        const [a, b] = [luminance(cell), luminance(ink)].sort((x, y) => x - y);
        expect(((b ?? 0) + 0.05) / ((a ?? 0) + 0.05)).toBeGreaterThan(4.4);
        return luminance(cell);
      });
      // From the middle to either end, each colour is stronger than the one before.
      const sign = page === 'light' ? -1 : 1;
      for (let step = 21; step < COLOUR_STEPS; step += 1) {
        expect(sign * ((strengths[step] ?? 0) - (strengths[step - 1] ?? 0))).toBeGreaterThan(0);
        expect(sign * ((strengths[40 - step] ?? 0) - (strengths[41 - step] ?? 0))).toBeGreaterThan(
          0,
        );
      }
    }
    expect([-1, -0.01, 0, 0.5, 1, 7, NaN].map(stepOf)).toEqual([0, 20, 20, 30, 40, 40, undefined]);
  });
});

describe('scales', () => {
  it('have round ticks within the interval, in order and not too many', () => {
    const ends = fc.tuple(
      fc.double({ min: -1e12, max: 1e12, noNaN: true }),
      fc.double({ min: 1e-9, max: 1e12, noNaN: true }),
    );
    fc.assert(
      fc.property(ends, fc.integer({ min: 1, max: 10 }), ([low, span], count) => {
        const { low: from, high: to } = extentOf([Float64Array.of(low, low + span)]);
        const ticks = niceTicks({ low: from, high: to }, count);
        const slack = (to - from) * 1e-6;
        expect(ticks.length).toBeLessThanOrEqual(2 * count + 3);
        for (const [index, { value, label }] of ticks.entries()) {
          expect(value).toBeGreaterThanOrEqual(from - slack);
          expect(value).toBeLessThanOrEqual(to + slack);
          expect(label.length).toBeLessThan(16);
          if (index > 0) expect(value).toBeGreaterThan(ticks[index - 1]?.value ?? Infinity);
        }
      }),
    );
    expect(niceTicks({ low: -1, high: 1 }, 4).map(({ label }) => label)).toEqual([
      '−1.0',
      '−0.5',
      '0',
      '0.5',
      '1.0',
    ]);
  });

  it('shorten text to what fits, between characters', () => {
    expect(fitted('momentum', 10, 100)).toBe('momentum');
    expect(fitted('momentum', 10, 30)).toMatch(/^mome?…$/);
    expect(fitted('👩‍👩‍👧 family', 10, 22)).not.toMatch(/\u200d…$/);
  });
});
