/** Finds the data sets that the input of a built-in task type refers to. */
import { DATASET_ID_PATTERN, SwarmError } from '@quic-swarm/protocol';

/** Inputs nest less; what nests deeper is not an input and is refused by the agent. */
const DEPTH_MAX = 8;

/**
 * The ids in `{ datasetId }` anywhere in the input, each once. Reads any shape, since a wrong one is refused by who
 * computes the task, with a better message than could be given here. Throws BAD_INPUT for an id that is none.
 */
export function datasetsOf(input: unknown): string[] {
  const found = new Set<string>();
  collect(input, found, 0);
  return [...found];
}

function collect(value: unknown, found: Set<string>, depth: number): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  if (depth > DEPTH_MAX) return;
  if (Array.isArray(value)) {
    for (const item of value) collect(item, found, depth + 1);
    return;
  }
  for (const [key, item] of Object.entries(value) as [string, unknown][]) {
    if (key === 'datasetId' && typeof item === 'string') {
      if (!DATASET_ID_PATTERN.test(item)) {
        throw new SwarmError('BAD_INPUT', `"${item.slice(0, 80)}" is not the id of a data set.`, {
          hint: 'Use the datasetId that putTable or putDataset returned.',
        });
      }
      found.add(item);
    } else {
      collect(item, found, depth + 1);
    }
  }
}
