/** Reads the documents of the repository: links, fenced snippets and the comments that say what a snippet needs. */
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from '../support/program.ts';

/** A fenced block. */
export interface Snippet {
  /** `README.md:42`. */
  readonly where: string;
  readonly language: string;
  readonly code: string;
  /** The comments directly above: `<!-- needs: pattern -->` gives needs → pattern. */
  readonly notes: ReadonlyMap<string, string>;
}

/** Paths of all documents, relative to the root. */
export function documents(): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name === 'dist' || entry.name.startsWith('.'))
        continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (entry.name.endsWith('.md')) found.push(relative(ROOT, path));
    }
  };
  visit(ROOT);
  return found.sort();
}

export function readDocument(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The fenced blocks of a document, in their order. */
export function snippetsOf(path: string): Snippet[] {
  const text = readDocument(path);
  const fences = text.matchAll(/((?:^<!--[^\n]*-->\n+)*)^```([a-z]*)\n([\s\S]*?)^```$/gm);
  return [...fences].map(([, comments = '', language = '', code = ''], index) => ({
    where: `${path}:${text.slice(0, text.indexOf(code)).split('\n').length || index}`,
    language,
    code,
    notes: new Map(
      [...comments.matchAll(/<!--\s*([a-z]+):\s*(.*?)\s*-->/g)].map(([, name = '', value = '']) => [
        name,
        value,
      ]),
    ),
  }));
}

/** Commands of a shell snippet; a line that ends with a backslash goes on in the next. */
export function commandsOf(code: string): string[] {
  return code
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/\s#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
