/**
 * A picture of how learning pays: for each way of forecasting, how much more error than that of the best arm has added up.
 * A flat line is as good as the best arm; one that falls is better. Pure: the same curves give the same bytes.
 */
import { extentOf, linearScale, linePath, niceTicks, widened } from './scale.ts';
import { coordinate, element, fitted, svgDocument, textAt, textWidth } from './svg.ts';

/** What is drawn. */
export interface RegretPicture {
  readonly title: string;
  readonly subtitle: string;
  /** The first one is in front. All are as long. */
  readonly curves: readonly RegretCurve[];
  /** What the line at 0 is. */
  readonly zeroLabel: string;
}

/** One line. */
export interface RegretCurve {
  /** At its end. */
  readonly label: string;
  readonly colour: CurveColour;
  /** By step. */
  readonly values: readonly number[];
}

/** Colours that differ in lightness as well, on a light and on a dark page. */
export type CurveColour = 'blue' | 'orange' | 'green' | 'purple' | 'grey';

const COLOURS: Readonly<Record<CurveColour, readonly [light: string, dark: string]>> = {
  blue: ['#0b5cad', '#7cc0ff'],
  orange: ['#b4560b', '#f0a35e'],
  green: ['#2a7d3f', '#7ddc8f'],
  purple: ['#8a3fa8', '#d69bf0'],
  grey: ['#6b7580', '#9aa5b1'],
};

const WIDTH = 960;
const HEIGHT = 520;
const MARGIN = 32;
const GUTTER = 52;
const TOP = 92;
const FOOT = 60;
const LABEL_HEIGHT = 15;
/** Room to the right of the lines for their names. */
const NAMES_WIDTH_MAX = 220;

/** The picture as an SVG document. */
export function regretPlot(picture: RegretPicture): string {
  const { curves, title, subtitle, zeroLabel } = picture;
  const names = [...curves.map(({ label }) => label), zeroLabel];
  const namesWidth = Math.min(
    NAMES_WIDTH_MAX,
    Math.max(...names.map((name) => textWidth(name, 12))) + 12,
  );
  const left = MARGIN + GUTTER;
  const right = WIDTH - MARGIN - namesWidth;
  const bottom = HEIGHT - FOOT;
  // Every line begins at 0, before the first step.
  const lines = curves.map(({ values }) => Float64Array.from([0, ...values]));
  const last = Math.max(1, ...lines.map(({ length }) => length - 1));
  const placeX = linearScale({ low: 0, high: last }, { low: left, high: right });
  const extent = widened(extentOf([...lines, Float64Array.of(0)]), 0.04);
  const placeY = linearScale(extent, { low: bottom, high: TOP });
  const ends = [
    ...lines.map((line, index) => ({
      label: curves[index]?.label ?? '',
      className: `${curves[index]?.colour ?? 'grey'}-name text strong`,
      y: placeY(line.at(-1) ?? 0),
    })),
    { label: zeroLabel, className: 'ink text', y: placeY(0) },
  ];
  return svgDocument({
    width: WIDTH,
    height: HEIGHT,
    title,
    description: curves
      .map(({ label, values }) => `${label}: ${(values.at(-1) ?? 0).toFixed(2)}`)
      .join(', '),
    light: rules(0),
    dark: rules(1),
    content: [
      textAt(MARGIN, 42, fitted(title, 18, WIDTH - 2 * MARGIN), { class: 'ink title' }),
      textAt(MARGIN, 64, fitted(subtitle, 12, WIDTH - 2 * MARGIN), { class: 'muted text' }),
      ...niceTicks(extent, 6).flatMap(({ value, label }) => [
        element('path', {
          class: 'grid',
          d: `M${left} ${crisp(placeY(value))}h${coordinate(right - left)}`,
        }),
        textAt(left - 8, placeY(value) + 4, label, { class: 'muted small', 'text-anchor': 'end' }),
      ]),
      element('path', {
        class: 'axis',
        d: `M${left} ${crisp(bottom)}h${coordinate(right - left)}`,
      }),
      ...niceTicks({ low: 0, high: last }, 8)
        .filter(({ value }) => Number.isInteger(value))
        .map(({ value, label }) =>
          textAt(placeX(value), bottom + 17, label, {
            class: 'muted small',
            'text-anchor': 'middle',
          }),
        ),
      textAt((left + right) / 2, bottom + 38, 'steps', {
        class: 'muted small',
        'text-anchor': 'middle',
      }),
      element('path', {
        class: 'zero',
        d: `M${left} ${crisp(placeY(0))}h${coordinate(right - left)}`,
      }),
      ...lines
        .map((line, index) =>
          element('path', {
            class: `curve ${curves[index]?.colour ?? 'grey'}${index === 0 ? ' front' : ''}`,
            d: linePath(line, placeX, placeY),
          }),
        )
        .toReversed(),
      ...spread(ends, TOP, bottom).map(({ label, className, y }) =>
        textAt(right + 8, y + 4, fitted(label, 12, namesWidth - 8), { class: className }),
      ),
    ],
  });
}

function rules(page: 0 | 1): string[] {
  const ofColours = Object.entries(COLOURS).flatMap(([name, shades]) => [
    `.${name}{stroke:${shades[page]}}`,
    `.${name}-name{fill:${shades[page]}}`,
  ]);
  const zero = page === 0 ? '#1f2328' : '#e6eaef';
  if (page === 1) return [...ofColours, `.zero{stroke:${zero}}`];
  return [
    '.curve{stroke-width:1.6;fill:none;stroke-linejoin:round;stroke-linecap:round}',
    '.front{stroke-width:2.8}',
    `.zero{stroke:${zero};stroke-width:1;stroke-dasharray:4 4;fill:none}`,
    ...ofColours,
  ];
}

interface Name {
  readonly label: string;
  readonly className: string;
  readonly y: number;
}

/** Moves names apart that would overlap, as little as possible and within the frame. */
function spread(names: readonly Name[], top: number, bottom: number): Name[] {
  const sorted = [...names].sort((a, b) => a.y - b.y);
  const places: number[] = [];
  for (const { y } of sorted) places.push(Math.max(y, (places.at(-1) ?? top) + LABEL_HEIGHT));
  // What was pushed below the frame moves up again, and pushes those above it.
  let limit = bottom;
  for (let index = places.length - 1; index >= 0; index -= 1) {
    places[index] = Math.min(places[index] ?? 0, limit);
    limit = (places[index] ?? 0) - LABEL_HEIGHT;
  }
  return sorted.map((name, index) => ({ ...name, y: places[index] ?? name.y }));
}

/** In the middle of a pixel, where a line of one pixel is sharp. */
function crisp(place: number): number {
  return Math.round(place) + 0.5;
}
