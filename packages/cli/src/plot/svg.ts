/**
 * The little of SVG 1.1 that the plots need, as text: elements with escaped attributes and content, and a document that
 * reads well on a light and on a dark page. Colours are classes, not attributes, so that the document's own style can
 * follow `prefers-color-scheme`; a viewer without media queries shows the light picture.
 */

/** Attributes of an element; what is undefined is left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Width of the average character against the font size, for sans-serif fonts. Generous, so that text fits. */
const CHARACTER_WIDTH = 0.56;

/** Font of every text; the digits of one column have the same width where the font can do that. */
const FONT =
  'font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums';

/** Makes text safe between tags and in attributes, and replaces what XML 1.0 cannot hold at all. */
export function escapeText(text: string): string {
  return (
    text
      // Control characters, half surrogates and non-characters may not even be written as references.
      .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&#39;')
  );
}

/** A coordinate with at most two decimals, which is finer than a screen. */
export function coordinate(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is no coordinate`);
  const text = String(Number(value.toFixed(2)));
  return text === '-0' ? '0' : text;
}

/** One element. `content` is already markup. */
export function element(name: string, attributes: Attributes, content = ''): string {
  const list = Object.entries(attributes)
    .filter((entry): entry is [string, string | number] => entry[1] !== undefined)
    .map(([key, value]) => {
      const text = typeof value === 'number' ? coordinate(value) : escapeText(value);
      return ` ${key}="${text}"`;
    })
    .join('');
  return content === '' ? `<${name}${list}/>` : `<${name}${list}>${content}</${name}>`;
}

/** A line of text at a point of its baseline. */
export function textAt(x: number, y: number, text: string, attributes: Attributes = {}): string {
  return element('text', { x, y, ...attributes }, escapeText(text));
}

/** About how wide a text is, in the unit of the font size. Wide scripts and emoji count double. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const character of text) {
    width += (character.codePointAt(0) ?? 0) >= 0x11_00 ? 2 : 1;
  }
  return width * fontSize * CHARACTER_WIDTH;
}

/** The text, or as much of its beginning as fits, with an ellipsis. */
export function fitted(text: string, fontSize: number, width: number): string {
  if (textWidth(text, fontSize) <= width) return text;
  // What a reader takes for one character stays whole.
  const characters = [...new Intl.Segmenter('en').segment(text)].map(({ segment }) => segment);
  while (characters.length > 0 && textWidth(`${characters.join('')}…`, fontSize) > width) {
    characters.pop();
  }
  return `${characters.join('').trimEnd()}…`;
}

/** What a whole picture is made of. */
export interface SvgDocument {
  readonly width: number;
  readonly height: number;
  /** For people who hear the picture. */
  readonly title: string;
  readonly description: string;
  /** Rules of a style sheet, `.name{…}` each, for a light page. */
  readonly light: readonly string[];
  /** The rules that differ on a dark page. */
  readonly dark: readonly string[];
  /** Markup of definitions: patterns, clip paths. */
  readonly definitions?: string;
  readonly content: readonly string[];
}

const LIGHT_RULES = [
  '.paper{fill:#ffffff}',
  '.ink{fill:#1f2328}',
  '.muted{fill:#656d76}',
  '.grid{stroke:#e7eaee;stroke-width:1;fill:none}',
  '.axis{stroke:#c3c9d0;stroke-width:1;fill:none}',
  '.title{font-size:18px;font-weight:600}',
  '.text{font-size:12px}',
  '.small{font-size:11px}',
  '.strong{font-weight:600}',
];

const DARK_RULES = [
  '.paper{fill:#14181d}',
  '.ink{fill:#e6eaef}',
  '.muted{fill:#98a2ad}',
  '.grid{stroke:#262d35}',
  '.axis{stroke:#46505b}',
];

/** The document as text, ending in a line break. */
export function svgDocument(picture: SvgDocument): string {
  const { width, height, definitions } = picture;
  const style = [
    `svg{${FONT}}`,
    ...LIGHT_RULES,
    ...picture.light,
    `@media (prefers-color-scheme:dark){${[...DARK_RULES, ...picture.dark].join('')}}`,
  ];
  const children = [
    element('title', {}, escapeText(picture.title)),
    element('desc', {}, escapeText(picture.description)),
    `<style>${style.join('\n')}</style>`,
    ...(definitions === undefined ? [] : [element('defs', {}, definitions)]),
    element('rect', { class: 'paper', x: 0, y: 0, width, height }),
    ...picture.content,
  ];
  const root = element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${coordinate(width)} ${coordinate(height)}`,
      width,
      height,
      role: 'img',
    },
    `\n${children.join('\n')}\n`,
  );
  return `${root}\n`;
}
