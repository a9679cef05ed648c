/** Which streams go first when the path is full. Priority does not travel: each side gives it to what it writes. */
import type { StreamKind } from './message-table.ts';

/** 0 is the most urgent, 255 the least. Cancelling and heartbeats go before small tasks, those before long payloads. */
export const STREAM_URGENCY: Readonly<Record<StreamKind, number>> = {
  control: 0,
  dispatch: 16,
  client: 16,
  task: 200,
  dataset: 200,
};
