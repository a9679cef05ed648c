/** The tiny task as a worker thread of BullMQ runs it. */
import { computeFor } from './tiny-task.ts';

export default async function process({ data }: { readonly data: number }): Promise<null> {
  computeFor(data);
  return null;
}
