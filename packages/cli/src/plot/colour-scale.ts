/**
 * The diverging colours of a correlation, −1 to 1 in 41 steps: orange for negative, blue for positive, the colour of
 * the page for none. Orange and blue stay apart in all common kinds of colour blindness; strength is lightness, so that
 * the picture also reads in grey. A dark page has its own colours, in which strong is bright.
 */

/** Steps on each side of 0. */
const HALF_STEPS = 20;

type Rgb = readonly [red: number, green: number, blue: number];

/** From no correlation to a perfect one. */
const LIGHT_POSITIVE: readonly Rgb[] = [
  [246, 247, 248],
  [170, 205, 233],
  [82, 148, 204],
  [11, 82, 152],
];
const LIGHT_NEGATIVE: readonly Rgb[] = [
  [246, 247, 248],
  [249, 203, 160],
  [232, 137, 67],
  [170, 76, 8],
];
const DARK_POSITIVE: readonly Rgb[] = [
  [31, 37, 44],
  [30, 72, 112],
  [52, 126, 190],
  [135, 200, 255],
];
const DARK_NEGATIVE: readonly Rgb[] = [
  [31, 37, 44],
  [108, 60, 24],
  [190, 105, 40],
  [255, 180, 112],
];

/** Number of colours. */
export const COLOUR_STEPS: number = 2 * HALF_STEPS + 1;

/** The step of a coefficient, 0 for −1 to 40 for 1; undefined for one that does not exist. */
export function stepOf(coefficient: number): number | undefined {
  if (Number.isNaN(coefficient)) return undefined;
  const bounded = Math.max(-1, Math.min(1, coefficient));
  return Math.round(bounded * HALF_STEPS) + HALF_STEPS;
}

/** What is written on a cell: whichever of the two is further from its colour. */
const INKS: readonly Rgb[] = [
  [8, 10, 13],
  [255, 255, 255],
];

/** Rules for a light or a dark page: `.s0{…}` to `.s40{…}` paint cells, `.t0{…}` to `.t40{…}` the text on them. */
export function colourRules(page: 'light' | 'dark'): string[] {
  const positive = page === 'light' ? LIGHT_POSITIVE : DARK_POSITIVE;
  const negative = page === 'light' ? LIGHT_NEGATIVE : DARK_NEGATIVE;
  return Array.from({ length: COLOUR_STEPS }, (_, step) => {
    const strength = Math.abs(step - HALF_STEPS) / HALF_STEPS;
    const colour = mixed(step < HALF_STEPS ? negative : positive, strength);
    const [dark = colour, bright = colour] = INKS;
    const ink = contrast(dark, colour) > contrast(bright, colour) ? dark : bright;
    return `.s${step}{fill:${hex(colour)}}.t${step}{fill:${hex(ink)}}`;
  });
}

function mixed(stops: readonly Rgb[], share: number): Rgb {
  const place = share * (stops.length - 1);
  const index = Math.min(stops.length - 2, Math.floor(place));
  const from = stops[index] ?? [0, 0, 0];
  const to = stops[index + 1] ?? from;
  const between = (a: number, b: number): number => Math.round(a + (b - a) * (place - index));
  return [between(from[0], to[0]), between(from[1], to[1]), between(from[2], to[2])];
}

function hex(colour: Rgb): string {
  return `#${colour.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** Contrast ratio as in WCAG 2.2: (lighter + 0.05) / (darker + 0.05) of the relative luminances. */
function contrast(a: Rgb, b: Rgb): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function luminance(colour: Rgb): number {
  const [red, green, blue] = colour.map((channel) => {
    const value = channel / 255;
    return value <= 0.040_45 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (red ?? 0) + 0.7152 * (green ?? 0) + 0.0722 * (blue ?? 0);
}
