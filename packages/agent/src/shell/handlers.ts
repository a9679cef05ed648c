/** The handlers of one agent: where each is, and what may be tuned in it. */
import type { AgentType, Tunable } from '@quic-swarm/protocol';
import type { HandleOptions, TaskHandler } from '../task-handler.ts';
import { builtInHandlersOf } from './built-in-handlers.ts';
import { badOption, resolveHandler, type AgentOptions } from './options.ts';
import type { HandlerPlace } from './task-shell.ts';
import { requireOffer, resolveTunable } from './tunables.ts';

/** All handlers, by task type. */
export class Handlers {
  readonly #places: Map<string, HandlerPlace> = new Map();
  readonly #tunables: Map<string, Tunable> = new Map();

  /** Those that ship with an agent of the type. */
  constructor(agentType: AgentType) {
    for (const { taskType, module, tunable } of builtInHandlersOf(agentType)) {
      this.#places.set(taskType, module);
      if (tunable !== undefined) this.#tunables.set(taskType, tunable);
    }
  }

  /** Adds what the options name. @throws BAD_OPTION */
  addAll({ handlers = {}, tunables = {} }: Pick<AgentOptions, 'handlers' | 'tunables'>): void {
    for (const taskType of Object.keys(tunables)) {
      if (Object.hasOwn(handlers, taskType)) continue;
      throw badOption(
        `tunables names ${taskType}, but handlers has none for it.`,
        'Only what a handler of your own looks at can be declared; built-in ones have said it.',
      );
    }
    for (const [taskType, handler] of Object.entries(handlers)) {
      this.add(taskType, handler, { tunable: tunables[taskType] });
    }
  }

  /** Adds or replaces one, with all that was said of it. @throws BAD_OPTION, and then nothing has changed */
  add(taskType: string, handler: URL | TaskHandler, { tunable }: HandleOptions = {}): void {
    const place = resolveHandler(taskType, handler);
    if (tunable === undefined) this.#tunables.delete(taskType);
    else {
      const resolved = resolveTunable(taskType, tunable);
      requireOffer([...new Map(this.#tunables).set(taskType, resolved).values()]);
      this.#tunables.set(taskType, resolved);
    }
    this.#places.set(taskType, place);
  }

  get places(): ReadonlyMap<string, HandlerPlace> {
    return this.#places;
  }

  get tunables(): Tunable[] {
    return [...this.#tunables.values()];
  }

  /** The task types. */
  get capabilities(): string[] {
    return [...this.#places.keys()];
  }

  /** The task types whose handlers are functions. */
  get onMainThread(): string[] {
    return [...this.#places].flatMap(([type, place]) =>
      typeof place === 'function' ? [type] : [],
    );
  }

  get usesThreads(): boolean {
    return [...this.#places.values()].some((place) => typeof place === 'string');
  }
}
