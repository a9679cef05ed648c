/** "Did you mean …?": the known word nearest to what was typed. */

/** The candidate that differs from `typed` by few letters, or undefined when none is near. */
export function nearest(typed: string, candidates: Iterable<string>): string | undefined {
  const wanted = typed.toLowerCase();
  // A third of the letters may be wrong; more and the guess is noise.
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  let best: string | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

/** A sentence for an error: the guess, and the words that would have been right. */
export function suggest(typed: string, candidates: readonly string[]): string {
  const guess = nearest(typed, candidates);
  const shown = candidates.length > 24 ? [...candidates.slice(0, 24), '…'] : candidates;
  const known = `Known: ${shown.join(', ')}.`;
  return guess === undefined ? known : `Did you mean "${guess}"? ${known}`;
}

/**
 * Letters to insert, delete, replace or swap with their neighbour (the restricted Damerau–Levenshtein distance):
 * swapped neighbours are the most frequent slip of the fingers.
 */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let distance = Math.min(
        at(last, j) + 1,
        at(row, j - 1) + 1,
        at(last, j - 1) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, at(beforeLast, j - 2) + 1);
      }
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
