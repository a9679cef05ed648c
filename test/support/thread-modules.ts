/** Stands in for packages/agent/src/shell/thread-modules.ts where tests run on the sources (source-threads.ts). */

/** See there. */
export function threadModule(path: string): URL {
  return new URL(`../../.build/threads/src/${path}.js`, import.meta.url);
}
