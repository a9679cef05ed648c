/**
 * A picture of a pattern search: one panel per match with the query beneath it, and below them the whole series with
 * the places where the matches lie. Pure: the same result gives the same bytes.
 */
import { zNormalise } from '@quic-swarm/kernels';
import { formatNumber } from '../output/table.ts';
import {
  extentOf,
  isDrawable,
  linearScale,
  linePath,
  niceTicks,
  widened,
  type Interval,
} from './scale.ts';
import { seriesStrip } from './series-strip.ts';
import { element, fitted, svgDocument, textAt, textWidth } from './svg.ts';

/** What is drawn. */
export interface PatternPicture {
  readonly algorithm: 'dtw' | 'lcss';
  readonly band: number;
  readonly normalise: 'z' | 'none';
  /** Name of the column and of the file that it came from. */
  readonly name: string;
  readonly source: string;
  readonly series: Float64Array;
  readonly query: Float64Array;
  /** Where the query was cut out of the series, if it was. */
  readonly queryRows?: RowRange | undefined;
  /** By rank, best first. */
  readonly matches: readonly PatternPictureMatch[];
}

/** Rows start … end − 1. */
interface RowRange {
  readonly start: number;
  readonly end: number;
}

/** One match, as the result has it. */
export interface PatternPictureMatch {
  readonly start: number;
  readonly length: number;
  readonly distance: number;
  readonly similarity?: number | undefined;
}

/** Matches that get a panel; the others are marked in the series only. */
export const PANELS_MAX = 10;

const WIDTH = 960;
const MARGIN = 32;
/** Room for the labels of the vertical axis. */
const GUTTER = 34;
const GAP = 22;
const PANELS_TOP = 92;
/** The two lines above a panel, and the row numbers below it. */
const PANEL_HEAD = 38;
const PANEL_FOOT = 30;

const LIGHT = [
  '.query{stroke:#f0a35e;stroke-width:4;fill:none;stroke-linejoin:round;stroke-linecap:round}',
  '.match{stroke:#0b5cad;stroke-width:1.6;fill:none;stroke-linejoin:round;stroke-linecap:round}',
  '.series{stroke:#6b7580;stroke-width:1;fill:none;stroke-linejoin:round;stroke-linecap:round}',
  '.match-rows{fill:#0b5cad;fill-opacity:.18}',
  '.query-rows{fill:#f0a35e;fill-opacity:.4}',
  '.match-name{fill:#0b5cad}',
  '.query-name{fill:#b4560b}',
  '.others{stroke:#0b5cad;stroke-opacity:.45;stroke-width:1;fill:none}',
];

const DARK = [
  '.query{stroke:#a8622a}',
  '.match{stroke:#7cc0ff}',
  '.series{stroke:#8b96a2}',
  '.match-rows{fill:#7cc0ff;fill-opacity:.26}',
  '.query-rows{fill:#e08b45;fill-opacity:.38}',
  '.match-name{fill:#7cc0ff}',
  '.query-name{fill:#f0a35e}',
  '.others{stroke:#7cc0ff}',
];

/** The picture as an SVG document. */
export function patternPlot(picture: PatternPicture): string {
  const panels = picture.matches.slice(0, PANELS_MAX);
  const layout = layoutOf(panels.length);
  const prepared = panels.map((match) => windowOf(picture, match));
  const query = preparedQuery(picture);
  const values = widened(extentOf([query, ...prepared]), 0.06);
  const stripTop = PANELS_TOP + layout.rows * layout.rowHeight + 8;
  const strip = seriesStrip({
    ...picture,
    frame: { x: MARGIN + GUTTER, y: stripTop, width: WIDTH - 2 * MARGIN - GUTTER },
    labelled: panels.length,
  });
  const title = titleOf(picture);
  const parts = panels.map((match, index) => {
    const column = index % layout.columns;
    const x = MARGIN + GUTTER + column * (layout.width + GAP);
    const y = PANELS_TOP + Math.floor(index / layout.columns) * layout.rowHeight + PANEL_HEAD;
    const frame = { x, y, width: layout.width, height: layout.height };
    const window = prepared[index] ?? query;
    return panel({ frame, rank: index + 1, match, query, window, values, isFirst: column === 0 });
  });
  return svgDocument({
    width: WIDTH,
    height: stripTop + strip.height + 20,
    title,
    description: descriptionOf(picture),
    light: LIGHT,
    dark: DARK,
    content: [
      ...head(picture, title),
      ...(panels.length === 0
        ? [textAt(MARGIN, PANELS_TOP + 24, 'No window matches.', { class: 'muted text' })]
        : parts),
      strip.markup,
    ],
  });
}

/** Columns and rows of panels, and how large one is. */
interface Layout {
  readonly columns: number;
  readonly rows: number;
  readonly width: number;
  readonly height: number;
  readonly rowHeight: number;
}

function layoutOf(count: number): Layout {
  // Rows are as full as possible: 4 make 2 × 2, 10 make 2 × 5.
  const columns = [1, 1, 2, 3, 2, 3, 3, 4, 4, 5, 5][count] ?? 5;
  const rows = Math.max(1, Math.ceil(count / columns));
  const width = (WIDTH - 2 * MARGIN - GUTTER - GAP * (columns - 1)) / columns;
  const height = count === 0 ? 10 : Math.round(Math.min(260, Math.max(112, width * 0.55)));
  return { columns, rows, width, height, rowHeight: PANEL_HEAD + height + PANEL_FOOT };
}

function preparedQuery({ query, normalise }: PatternPicture): Float64Array {
  return normalise === 'z' && query.every(isDrawable) ? zNormalise(query) : query;
}

/** The window of a match as the search compared it. */
function windowOf(picture: PatternPicture, { start, length }: PatternPictureMatch): Float64Array {
  const raw = picture.series.subarray(start, start + length);
  return picture.normalise === 'z' && raw.every(isDrawable) ? zNormalise(raw) : raw;
}

function titleOf({ name, query, matches }: PatternPicture): string {
  const count = matches.length === 1 ? '1 match' : `${matches.length} matches`;
  return `${query.length} rows in ${name}: ${matches.length === 0 ? 'no match' : count}`;
}

function descriptionOf({ matches }: PatternPicture): string {
  const list = matches
    .slice(0, PANELS_MAX)
    .map(({ start, distance }) => `row ${start} at distance ${formatNumber(distance, 4)}`);
  return list.length === 0 ? 'No window matches.' : `The matches start at ${list.join(', ')}.`;
}

/** Title, how the search was done, and what the two lines are. */
function head(picture: PatternPicture, title: string): string[] {
  const { algorithm, band, normalise, source, matches } = picture;
  const shown = matches.length > PANELS_MAX ? ` · the best ${PANELS_MAX} shown` : '';
  const how = `${algorithm.toUpperCase()}, band ${band}, ${normalise === 'z' ? 'z-normalised' : 'values as they are'}${shown} · ${source}`;
  const right = WIDTH - MARGIN;
  return [
    textAt(MARGIN, 42, fitted(title, 18, 660), { class: 'ink title' }),
    textAt(MARGIN, 64, fitted(how, 12, 880), { class: 'muted text' }),
    element('path', { class: 'query', d: `M${right - 172} 37.5h26` }),
    textAt(right - 138, 42, 'query', { class: 'ink text' }),
    element('path', { class: 'match', d: `M${right - 82} 37.5h26` }),
    textAt(right - 48, 42, 'match', { class: 'ink text' }),
  ];
}

/** What one panel shows. */
interface Panel {
  readonly frame: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
  readonly rank: number;
  readonly match: PatternPictureMatch;
  readonly query: Float64Array;
  readonly window: Float64Array;
  readonly values: Interval;
  readonly isFirst: boolean;
}

function panel({ frame, rank, match, query, window, values, isFirst }: Panel): string {
  const { x, y, width, height } = frame;
  const last = Math.max(1, query.length - 1);
  const placeX = linearScale({ low: 0, high: last }, { low: x, high: x + width });
  const placeY = linearScale(values, { low: y + height, high: y });
  const rows = niceTicks({ low: 0, high: last }, width / 60).filter(({ value }) =>
    Number.isInteger(value),
  );
  const levels = niceTicks(values, height / 42);
  const facts = factsOf(match, width);
  const name = `from row ${match.start}`;
  return element(
    'g',
    { class: 'panel' },
    [
      textAt(x, y - 23, String(rank), { class: 'match-name text strong' }),
      textAt(x + textWidth(`${rank}`, 12) + 7, y - 23, name, { class: 'ink text strong' }),
      textAt(x, y - 8, facts, { class: 'muted small' }),
      ...levels.map(({ value }) =>
        element('path', {
          class: 'grid',
          d: `M${crisp(x)} ${crisp(placeY(value))}h${crisp(width)}`,
        }),
      ),
      ...(isFirst
        ? levels.map(({ value, label }) =>
            textAt(x - 8, placeY(value) + 4, label, { class: 'muted small', 'text-anchor': 'end' }),
          )
        : []),
      element('path', { class: 'axis', d: `M${crisp(x)} ${crisp(y + height)}h${crisp(width)}` }),
      ...rows.map(({ value, label }, index) =>
        textAt(placeX(value), y + height + 15, label, {
          class: 'muted small',
          // The outer labels stay within the panel's width.
          'text-anchor': index === 0 ? 'start' : placeX(value) > x + width - 10 ? 'end' : 'middle',
        }),
      ),
      element('path', { class: 'query', d: linePath(query, placeX, placeY) }),
      element('path', { class: 'match', d: linePath(window, placeX, placeY) }),
    ].join('\n'),
  );
}

/** Distance, and for LCSS the similarity where both fit. */
function factsOf({ distance, similarity }: PatternPictureMatch, width: number): string {
  const short = `distance ${formatNumber(distance, 4)}`;
  if (similarity === undefined) return short;
  const long = `${short} · similarity ${formatNumber(similarity, 3)}`;
  return textWidth(long, 11) <= width ? long : short;
}

/** In the middle of a pixel, where a line of one pixel is sharp. */
function crisp(place: number): number {
  return Math.round(place) + 0.5;
}
