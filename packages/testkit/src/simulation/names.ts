/** Short names for the ids of tasks, so that a trace can be read: `t3`, and `t3.1` for its second shard. */

/** Tasks of a plan have lower numbers. */
const LATE_NUMBER = 10_000;

/** See the head of this file. */
export class TaskNames {
  readonly #names = new Map<string, string>();
  #lateNumber = LATE_NUMBER;

  /** The id of task `t<number>`. */
  idOf(number: number): string {
    const taskId = `00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
    this.#names.set(taskId, `t${number}`);
    return taskId;
  }

  /** The number of a task that nobody has planned: a dead letter that is submitted again. */
  newNumber(): number {
    this.#lateNumber += 1;
    return this.#lateNumber;
  }

  /** A shard is named after its task. */
  nameShard(shardId: string, parentId: string, index: number): void {
    this.#names.set(shardId, `${this.of(parentId)}.${index}`);
  }

  of(taskId: string): string {
    return this.#names.get(taskId) ?? taskId;
  }
}
