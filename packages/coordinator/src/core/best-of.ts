/** The first few of many in some order, without putting all of them in order. */

/**
 * The first `limit` of the items as `compare` orders them, in that order, and how many there are in all. One pass: of a
 * million in no order almost all are only compared with the last one kept.
 */
export function bestOf<T>(
  items: Iterable<T>,
  limit: number,
  compare: (a: T, b: T) => number,
): { readonly best: readonly T[]; readonly all: number } {
  const best: T[] = [];
  let all = 0;
  for (const item of items) {
    all += 1;
    const last = best[limit - 1];
    if (last !== undefined && compare(item, last) >= 0) continue;
    if (best.length === limit) best.pop();
    best.splice(placeOf(best, item, compare), 0, item);
  }
  return { best, all };
}

/** Behind all that are not after it. */
function placeOf<T>(sorted: readonly T[], item: T, compare: (a: T, b: T) => number): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (compare(sorted[middle] as T, item) <= 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
