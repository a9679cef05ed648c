/** Short names for the ids of tasks, so that a trace can be read: `t3`, and `t3.1` for its second shard. */

/** See the head of this file. */
export class TaskNames {
  readonly #names = new Map<string, string>();

  /** The id of task `t<number>`. */
  idOf(number: number): string {
    const taskId = `00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
    this.#names.set(taskId, `t${number}`);
    return taskId;
  }

  /** A shard is named after its task. */
  nameShard(shardId: string, parentId: string, index: number): void {
    this.#names.set(shardId, `${this.of(parentId)}.${index}`);
  }

  of(taskId: string): string {
    return this.#names.get(taskId) ?? taskId;
  }
}
