import { expect, test } from 'vitest';
import { SharedBound } from '@quic-swarm/kernels';
import { BoundWatch } from '../../src/shell/bound-watch.ts';

/** Collects what a watch says, and waits until it has said so much. */
class Heard {
  readonly distances: number[] = [];
  #wake: () => void = () => {};

  readonly add = (distance: number): void => {
    this.distances.push(distance);
    this.#wake();
  };

  async until(distance: number): Promise<void> {
    while (this.distances.at(-1) !== distance) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

test('a bound that somebody proves is noticed, whoever it was, until the watch ends', async () => {
  const scratch = new SharedArrayBuffer(64);
  const shard = new SharedBound(scratch);
  const heard = new Heard();
  const watch = new BoundWatch(scratch, heard.add);
  shard.lower(9);
  await heard.until(9);
  shard.lower(12);
  watch.lower(4);
  await heard.until(4);
  expect(shard.distance).toBe(4);
  expect(heard.distances).toEqual([9, 4]);

  const later = new Heard();
  const other = new BoundWatch(scratch, later.add);
  await later.until(4);
  watch.end();
  shard.lower(0);
  await later.until(0);
  expect(heard.distances).toEqual([9, 4]);
  other.end();
});
