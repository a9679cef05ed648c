/** Reads the SVG of our plots strictly: what a real XML reader would refuse is an error here as well. */

export interface SvgElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: SvgElement[];
  text: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
};

function unescaped(text: string): string {
  if (/[<>]/.test(text)) throw new Error(`not escaped: ${text}`);
  return text.replaceAll(/&([^;]*);?/g, (_all, name: string) => {
    const character = ENTITIES[name];
    if (character === undefined) throw new Error(`unknown entity ${name}`);
    return character;
  });
}

/** The root element. @throws Error for what is not well-formed */
export function readSvg(source: string): SvgElement {
  if (/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u.test(source)) {
    throw new Error('a character that XML cannot hold');
  }
  const top: SvgElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  let end = 0;
  for (const tag of source.matchAll(/<(\/?)([a-z]+)((?: [a-zA-Z-]+="[^"<]*")*)(\/?)>/g)) {
    const parent = open.at(-1) ?? top;
    parent.text += unescaped(source.slice(end, tag.index));
    end = tag.index + tag[0].length;
    const [, isClosing, name = '', list = '', isEmpty] = tag;
    if (isClosing === '/') {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes nothing`);
      continue;
    }
    const attributes: Record<string, string> = {};
    for (const [, key = '', value = ''] of list.matchAll(/ ([a-zA-Z-]+)="([^"]*)"/g)) {
      if (key in attributes) throw new Error(`${key} twice`);
      attributes[key] = unescaped(value);
    }
    const child = { name, attributes, children: [], text: '' };
    parent.children.push(child);
    if (isEmpty !== '/') open.push(child);
  }
  const [root] = top.children;
  if (open.length > 1 || root === undefined || source.slice(end).trim() !== '') {
    throw new Error('the document does not end where its root ends');
  }
  return root;
}

/** All elements within one, itself included. */
export function everyElement(element: SvgElement): SvgElement[] {
  return [element, ...element.children.flatMap(everyElement)];
}

/** All elements of a name, and of a class when one is given. */
export function elementsOf(root: SvgElement, name: string, className?: string): SvgElement[] {
  return everyElement(root).filter(
    (element) =>
      element.name === name &&
      (className === undefined ||
        (element.attributes['class'] ?? '').split(' ').includes(className)),
  );
}

/** The points that a path of M, L, h and v visits. @throws Error for anything else */
export function pointsOf(d: string): [x: number, y: number][] {
  const points: [number, number][] = [];
  let [x, y] = [0, 0];
  let rest = d;
  while (rest !== '') {
    const step = /^(?:([ML])(-?[\d.]+) (-?[\d.]+)|([hv])(-?[\d.]+))/.exec(rest);
    if (step === null) throw new Error(`no path: ${rest.slice(0, 40)}`);
    const [all, absolute, toX, toY, direction, by] = step;
    if (absolute !== undefined) [x, y] = [Number(toX), Number(toY)];
    else if (direction === 'h') x += Number(by);
    else y += Number(by);
    points.push([x, y]);
    rest = rest.slice(all.length);
  }
  return points;
}

/** Every place of the picture that is drawn; definitions and turned text are not among them. */
export function placesOf(root: SvgElement): [x: number, y: number][] {
  const definitions = new Set(elementsOf(root, 'defs').flatMap(everyElement));
  return everyElement(root)
    .filter((element) => !definitions.has(element) && element !== root)
    .flatMap(({ name, attributes: { d, x, y, width = '0', height = '0' } }) => {
      if (name === 'path') return pointsOf(d ?? 'missing');
      if (name !== 'rect' && name !== 'text') return [];
      const [left, top] = [Number(x), Number(y)];
      return [
        [left, top] as [number, number],
        [left + Number(width), top + Number(height)] as [number, number],
      ];
    });
}
