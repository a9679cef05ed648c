/**
 * A heat map of a correlation matrix: a cell per pair, its value where there is room for it, the names of the columns on
 * both sides and a legend. A coefficient that does not exist is hatched, which no colour of the scale is. Pure.
 */
import { COLOUR_STEPS, colourRules, stepOf } from './colour-scale.ts';
import { withMinus } from './scale.ts';
import { coordinate, element, escapeText, fitted, svgDocument, textAt, textWidth } from './svg.ts';

/** What is drawn. */
export interface CorrelationPicture {
  readonly method: 'pearson' | 'spearman';
  readonly columns: readonly string[];
  readonly rows: number;
  /** Full square, row by row, NaN where there is no coefficient. */
  readonly matrix: Float64Array;
  /** Rows that both columns of a pair have, same shape. */
  readonly overlap: Uint32Array;
  /** Name of the file. */
  readonly source: string;
  /** More about how it was computed, for the line below the title. */
  readonly note?: string | undefined;
}

/** Columns that a picture may have: beyond it a cell is too small to be told from its neighbour. */
export const PLOTTED_COLUMNS_MAX = 200;

/** Up to so many columns each cell says on request which pair it is and how many rows it rests on. */
const TOLD_COLUMNS_MAX = 60;

const MARGIN = 32;
const HEAD = 84;
const LABEL_WIDTH_MAX = 150;
const LEGEND_HEIGHT = 74;
const WIDTH_MIN = 460;

const LIGHT = [
  '.hatch-paper{fill:#ffffff}',
  '.hatch-line{stroke:#a3abb4;stroke-width:1.2}',
  '.frame{fill:none;stroke:#c3c9d0;stroke-width:1}',
];
const DARK = [
  '.hatch-paper{fill:#14181d}',
  '.hatch-line{stroke:#66707b}',
  '.frame{stroke:#46505b}',
];

/** The hatching of cells without a coefficient. */
const HATCH = element(
  'pattern',
  { id: 'none', width: 6, height: 6, patternUnits: 'userSpaceOnUse' },
  element('rect', { class: 'hatch-paper', width: 6, height: 6 }) +
    element('path', { class: 'hatch-line', d: 'M-1 1L1 -1M-1 7L7 -1M5 7L7 5' }),
);

/** The picture as an SVG document. */
export function correlationPlot(picture: CorrelationPicture): string {
  const { columns, matrix } = picture;
  const layout = layoutOf(picture);
  const { x, y, side } = layout;
  const hasNone = matrix.some(Number.isNaN);
  const name = picture.method === 'pearson' ? 'Pearson' : 'Spearman';
  const title = `${name} correlation of ${columns.length} column${columns.length === 1 ? '' : 's'}`;
  const facts = `${picture.rows} rows${picture.note === undefined ? '' : ` · ${picture.note}`} · ${picture.source}`;
  const room = layout.width - 2 * MARGIN;
  return svgDocument({
    width: layout.width,
    height: layout.height,
    title,
    description: `${hasNone ? 'Hatched cells have no coefficient. ' : ''}Columns: ${columns.join(', ')}.`,
    light: [...LIGHT, ...colourRules('light')],
    dark: [...DARK, ...colourRules('dark')],
    definitions: HATCH,
    content: [
      textAt(MARGIN, 42, fitted(title, 18, room), { class: 'ink title' }),
      textAt(MARGIN, 64, fitted(facts, 12, room), { class: 'muted text' }),
      element('g', { class: 'cells' }, cells(picture, layout)),
      element('rect', {
        class: 'frame',
        x: x - 0.5,
        y: y - 0.5,
        width: side + 1,
        height: side + 1,
      }),
      ...names(picture, layout),
      legend(layout, hasNone),
    ],
  });
}

interface Layout {
  readonly width: number;
  readonly height: number;
  /** Where the square begins, and its side. */
  readonly x: number;
  readonly y: number;
  readonly side: number;
  readonly cell: number;
  readonly fontSize: number;
  /** Names above the square lie flat when the longest fits its cell, else they stand. */
  readonly isFlat: boolean;
  readonly labelWidth: number;
}

function layoutOf({ columns }: CorrelationPicture): Layout {
  const count = Math.max(1, columns.length);
  const cell = count <= 14 ? 54 : Math.max(4, Math.floor(800 / count));
  const fontSize = Math.max(3.5, Math.min(12, cell * 0.86));
  const longest = Math.max(fontSize, ...columns.map((name) => textWidth(name, fontSize)));
  const labelWidth = Math.min(LABEL_WIDTH_MAX, longest) + 2;
  const isFlat = longest <= cell - 6;
  const side = cell * count;
  const x = Math.ceil(MARGIN + labelWidth + 10);
  const y = Math.ceil(HEAD + (isFlat ? fontSize + 10 : labelWidth + 10));
  return {
    width: Math.max(WIDTH_MIN, x + side + MARGIN),
    height: y + side + LEGEND_HEIGHT,
    x,
    y,
    side,
    cell,
    fontSize,
    isFlat,
    labelWidth,
  };
}

function cells({ columns, matrix, overlap }: CorrelationPicture, layout: Layout): string {
  const { x, y, cell } = layout;
  const count = columns.length;
  // A hairline of page between large cells; small ones touch, or the lines would grey the picture.
  const gap = cell >= 12 ? 1 : 0;
  const parts: string[] = [];
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < count; column += 1) {
      const value = matrix[row * count + column] ?? Number.NaN;
      const step = stepOf(value);
      const left = x + column * cell;
      const top = y + row * cell;
      const size = cell - gap;
      const told =
        count > TOLD_COLUMNS_MAX
          ? ''
          : element(
              'title',
              {},
              escapeText(
                `${columns[row]} and ${columns[column]}: ${step === undefined ? 'none' : withMinus(value.toFixed(4))} (${overlap[row * count + column] ?? 0} rows)`,
              ),
            );
      const paint = step === undefined ? { fill: 'url(#none)' } : { class: `s${step}` };
      parts.push(element('rect', { ...paint, x: left, y: top, width: size, height: size }, told));
      if (cell >= 30 && step !== undefined) {
        const fontSize = Math.min(12, cell * 0.34);
        parts.push(
          textAt(left + size / 2, top + size / 2 + fontSize * 0.36, shortNumber(value), {
            class: `t${step}`,
            'font-size': fontSize,
            'text-anchor': 'middle',
          }),
        );
      }
    }
  }
  return `\n${parts.join('\n')}\n`;
}

/** Two decimals; what rounds to nothing has no sign. */
function shortNumber(value: number): string {
  const text = value.toFixed(2);
  return withMinus(text === '-0.00' ? '0.00' : text);
}

function names({ columns }: CorrelationPicture, layout: Layout): string[] {
  const { x, y, cell, fontSize, isFlat, labelWidth } = layout;
  return columns.flatMap((name, index) => {
    const middle = (index + 0.5) * cell;
    const text = fitted(name, fontSize, labelWidth);
    const common = { class: 'ink', 'font-size': fontSize };
    const left = textAt(x - 8, y + middle + fontSize * 0.36, text, {
      ...common,
      'text-anchor': 'end',
    });
    if (isFlat) {
      return [left, textAt(x + middle, y - 9, text, { ...common, 'text-anchor': 'middle' })];
    }
    const foot = x + middle + fontSize * 0.36;
    const turn = `rotate(-90 ${coordinate(foot)} ${coordinate(y - 8)})`;
    return [left, textAt(foot, y - 8, text, { ...common, transform: turn })];
  });
}

/** The scale with its ends, and what the hatching means. */
function legend({ x, y, side, width }: Layout, hasNone: boolean): string {
  const top = y + side + 24;
  const swatch = 6;
  const bar = swatch * COLOUR_STEPS;
  const left = Math.min(x, width - MARGIN - bar - (hasNone ? 130 : 0));
  const swatches = Array.from({ length: COLOUR_STEPS }, (_, step) =>
    element('rect', {
      class: `s${step}`,
      x: left + step * swatch,
      y: top,
      width: swatch,
      height: 12,
    }),
  );
  const labels = [-1, -0.5, 0, 0.5, 1].map((value) =>
    textAt(
      left + ((value + 1) / 2) * (bar - swatch) + swatch / 2,
      top + 27,
      withMinus(String(value)),
      {
        class: 'muted small',
        'text-anchor': 'middle',
      },
    ),
  );
  const none = hasNone
    ? [
        element('rect', { fill: 'url(#none)', x: left + bar + 24, y: top, width: 18, height: 12 }),
        textAt(left + bar + 49, top + 10, 'no coefficient', { class: 'muted small' }),
      ]
    : [];
  return element('g', { class: 'legend' }, [...swatches, ...labels, ...none].join('\n'));
}
