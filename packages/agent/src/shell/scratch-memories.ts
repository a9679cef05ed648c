/** A little memory for each task whose shards this agent computes, so that they can tell each other what they found. */

/** Bytes for one task: a cache line. */
const SCRATCH_BYTES = 64;

/** Tasks that are remembered, the least recently used ones are not: a shard without it is slower, and no less right. */
const TASKS_MAX = 256;

/** See the head of the file. */
export class ScratchMemories {
  /** In the order of last use, the oldest first. */
  readonly #memories = new Map<string, SharedArrayBuffer>();

  /** The memory of the task that was split; zeros when it is new. Task ids are unique within an epoch. */
  of(epoch: number, taskId: string): SharedArrayBuffer {
    const key = `${epoch} ${taskId}`;
    const memory = this.#memories.get(key) ?? new SharedArrayBuffer(SCRATCH_BYTES);
    this.#memories.delete(key);
    this.#memories.set(key, memory);
    const oldest = this.#memories.keys().next();
    if (this.#memories.size > TASKS_MAX && oldest.done !== true)
      this.#memories.delete(oldest.value);
    return memory;
  }
}
