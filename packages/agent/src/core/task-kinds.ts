/** What is known of the task types that the agent has handlers for. */
import { UNKNOWN_SERVICE_TIME, type ServiceTime } from './thread-batching.ts';

/** What the tasks of one type have in common. */
export interface TaskKind {
  readonly taskType: string;
  /** Its handler is a function of the main thread; otherwise it runs in worker threads. */
  readonly isOnMainThread: boolean;
  serviceTime: ServiceTime;
}

/** The kinds, by task type. */
export class TaskKinds {
  readonly #kinds: ReadonlyMap<string, TaskKind>;

  constructor(capabilities: readonly string[], onMainThread: readonly string[]) {
    const kindOf = (taskType: string): TaskKind => ({
      taskType,
      isOnMainThread: onMainThread.includes(taskType),
      serviceTime: UNKNOWN_SERVICE_TIME,
    });
    this.#kinds = new Map(capabilities.map((taskType) => [taskType, kindOf(taskType)]));
  }

  has(taskType: string): boolean {
    return this.#kinds.has(taskType);
  }

  /** The names of all types. */
  get names(): string[] {
    return [...this.#kinds.keys()];
  }

  /** The kind of a task; a new one where there is no handler for it. */
  of(taskType: string): TaskKind {
    return (
      this.#kinds.get(taskType) ?? {
        taskType,
        isOnMainThread: false,
        serviceTime: UNKNOWN_SERVICE_TIME,
      }
    );
  }
}
