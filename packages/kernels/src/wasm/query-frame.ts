/**
 * In which terms a scan states its query where it computes bounds, on 32-bit floats: (value − reference) / unit. A normalised
 * query is in standard deviations already. Otherwise it is brought to its own mean and a magnitude of 1, so that neither its
 * level nor its scale takes digits away from what is compared.
 */
import { USABLE_MAGNITUDE_MAX } from '../typescript/series-block.ts';
import { magnitudeOf, type ComparedSeries } from '../window-cascade.ts';

/** See the head of the file. */
export interface QueryFrame {
  readonly reference: number;
  readonly unit: number;
  /** The largest magnitude of the query in these terms. */
  readonly magnitude: number;
}

/** The frame of a search's query. */
export function frameOf({
  query,
  normalise,
}: Pick<ComparedSeries, 'query' | 'normalise'>): QueryFrame {
  if (normalise) return { reference: 0, unit: 1, magnitude: magnitudeOf(query) };
  const share = 1 / query.length;
  // What is larger than any usable value has no level to be freed from, and its differences might overflow.
  const isUsable = magnitudeOf(query) <= USABLE_MAGNITUDE_MAX;
  const reference = isUsable ? query.reduce((sum, value) => sum + value * share, 0) : 0;
  const unit = magnitudeOf(query.map((value) => value - reference));
  return unit > 0 ? { reference, unit, magnitude: 1 } : { reference, unit: 1, magnitude: 0 };
}
