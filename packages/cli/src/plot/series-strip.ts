/** The lower part of the picture of a pattern search: the whole series, and where in it the matches lie. */
import { extentOf, linearScale, linePath, niceTicks, widened, type Interval } from './scale.ts';
import { coordinate, element, fitted, textAt, textWidth } from './svg.ts';

/** What the strip shows. */
export interface SeriesStrip {
  readonly frame: { readonly x: number; readonly y: number; readonly width: number };
  readonly name: string;
  readonly series: Float64Array;
  readonly queryRows?: { readonly start: number; readonly end: number } | undefined;
  readonly matches: readonly { readonly start: number; readonly length: number }[];
  /** So many of the matches get a number; the others are ticks below the series. */
  readonly labelled: number;
}

const HEADING = 20;
/** Names of matches stand in up to so many lines above the series. */
const LABEL_LINES = 3;
const LABEL_LINE_HEIGHT = 14;
const PLOT_HEIGHT = 130;
const ROW_NUMBERS = 24;

/** The strip as a group, and how high it is. */
export function seriesStrip(strip: SeriesStrip): { markup: string; height: number } {
  const { frame, series, matches, labelled, queryRows } = strip;
  const rows: Interval = { low: 0, high: Math.max(1, series.length - 1) };
  const placeX = linearScale(rows, { low: frame.x, high: frame.x + frame.width });
  const marks: Mark[] = [
    ...(queryRows === undefined ? [] : [{ ...queryRows, label: 'query', kind: 'query' as const }]),
    ...matches.slice(0, labelled).map(({ start, length }, index) => ({
      start,
      end: start + length,
      label: String(index + 1),
      kind: 'match' as const,
    })),
  ];
  const names = placed(marks, placeX, frame);
  const lines = Math.max(0, ...names.map(({ line }) => line + 1));
  const top = frame.y + HEADING + lines * LABEL_LINE_HEIGHT + 2;
  const bottom = top + PLOT_HEIGHT;
  const values = widened(extentOf([series]), 0.05);
  const placeY = linearScale(values, { low: bottom, high: top });
  const levels = niceTicks(values, 4);
  const markup = element(
    'g',
    { class: 'strip' },
    [
      textAt(frame.x, frame.y + 8, fitted(`Where they lie in ${strip.name}`, 12, frame.width), {
        class: 'ink text strong',
      }),
      ...levels.flatMap(({ value, label }) => [
        element('path', {
          class: 'grid',
          d: `M${coordinate(frame.x)} ${coordinate(Math.round(placeY(value)) + 0.5)}h${coordinate(frame.width)}`,
        }),
        textAt(frame.x - 8, placeY(value) + 4, label, {
          class: 'muted small',
          'text-anchor': 'end',
        }),
      ]),
      ...names.map((mark) => markOf(mark, top, bottom)),
      element('path', { class: 'series', d: linePath(series, placeX, placeY) }),
      ...otherTicks(matches.slice(labelled), placeX, bottom),
      element('path', {
        class: 'axis',
        d: `M${coordinate(frame.x)} ${coordinate(bottom + 0.5)}h${coordinate(frame.width)}`,
      }),
      ...rowLabels(rows, placeX, bottom, frame),
    ].join('\n'),
  );
  return { markup, height: bottom + ROW_NUMBERS - frame.y };
}

interface Mark {
  readonly start: number;
  readonly end: number;
  readonly label: string;
  readonly kind: 'query' | 'match';
}

interface PlacedMark extends Mark {
  readonly left: number;
  readonly width: number;
  readonly centre: number;
  /** 0 stands right above the series. */
  readonly line: number;
}

/** Gives each mark its place and its name a line in which it touches no other name. */
function placed(
  marks: readonly Mark[],
  placeX: (row: number) => number,
  frame: { readonly x: number; readonly width: number },
): PlacedMark[] {
  const endsOfLines: number[] = Array.from({ length: LABEL_LINES }, () => -Infinity);
  return [...marks]
    .sort((a, b) => a.start - b.start || a.label.localeCompare(b.label, 'en'))
    .map((mark) => {
      const left = placeX(mark.start);
      const right = placeX(mark.end - 1);
      // A short window in a long series would be thinner than a pixel.
      const width = Math.max(2, right - left);
      const labelWidth = textWidth(mark.label, 11);
      const middle = (left + right) / 2;
      const centre = Math.min(
        Math.max(middle, frame.x + labelWidth / 2),
        frame.x + frame.width - labelWidth / 2,
      );
      const free = endsOfLines.findIndex((end) => centre - labelWidth / 2 > end + 3);
      // When all lines are taken, the one that ends first overlaps least.
      const line = free < 0 ? endsOfLines.indexOf(Math.min(...endsOfLines)) : free;
      endsOfLines[line] = centre + labelWidth / 2;
      return { ...mark, left: Math.min(left, frame.x + frame.width - width), width, centre, line };
    });
}

function markOf(
  { left, width, centre, line, label, kind }: PlacedMark,
  top: number,
  bottom: number,
): string {
  const baseline = top - 6 - line * LABEL_LINE_HEIGHT;
  return [
    element('rect', { class: `${kind}-rows`, x: left, y: top, width, height: bottom - top }),
    textAt(centre, baseline, label, {
      class: `${kind}-name small strong`,
      'text-anchor': 'middle',
    }),
  ].join('\n');
}

/** Matches without a number: one tick per pixel at most, in one path. */
function otherTicks(
  others: readonly { readonly start: number }[],
  placeX: (row: number) => number,
  bottom: number,
): string[] {
  const pixels = new Set(others.map(({ start }) => Math.round(placeX(start))));
  if (pixels.size === 0) return [];
  const d = [...pixels]
    .sort((a, b) => a - b)
    .map((x) => `M${x} ${coordinate(bottom - 7)}v7`)
    .join('');
  return [element('path', { class: 'others', d })];
}

function rowLabels(
  rows: Interval,
  placeX: (row: number) => number,
  bottom: number,
  frame: { readonly x: number; readonly width: number },
): string[] {
  return niceTicks(rows, 8)
    .filter(({ value }) => Number.isInteger(value))
    .map(({ value, label }, index) => {
      const x = placeX(value);
      const isLast = x > frame.x + frame.width - textWidth(label, 11) / 2;
      return textAt(x, bottom + 17, label, {
        class: 'muted small',
        'text-anchor': index === 0 ? 'start' : isLast ? 'end' : 'middle',
      });
    });
}
