/** How a task names numbers: either they come along, or they lie in a data set that the agent has in memory. */
import { Type, type Static } from 'typebox';
import { Count, DatasetIdText, Float64Values, Name, record } from '../schema.ts';

/** A series of numbers; NaN marks a gap. Rows are counted from 0; `start` inclusive, `end` exclusive. */
export const SeriesReference = Type.Union([
  record({ values: Float64Values }),
  record({
    datasetId: DatasetIdText,
    column: Name,
    start: Type.Optional(Count),
    end: Type.Optional(Count),
  }),
]);
export type SeriesReference = Static<typeof SeriesReference>;
