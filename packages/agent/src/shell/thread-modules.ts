/**
 * Where the modules that threads load lie. Tests that run on the sources put another file in the place of this one, since
 * a thread cannot read TypeScript (test/support/source-threads.ts).
 */

/** A module of this package. @param path without its suffix and relative to `src`: `handlers/pattern` */
export function threadModule(path: string): URL {
  return new URL(`../${path}.js`, import.meta.url);
}
