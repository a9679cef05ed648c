/** `QuicSwarmAgent`: what a user of this package holds in the hand. */
import { createRequire } from 'node:module';
import { SwarmError } from '@quic-swarm/protocol';
import {
  nextDelayMs,
  parseAddress,
  transportTo,
  type SecurityOptions,
} from '@quic-swarm/transport';
import type { AgentCore } from '../core/agent.ts';
import type { AgentEvent } from '../core/effects.ts';
import type { HandleOptions, TaskHandler } from '../task-handler.ts';
import { Driver } from './driver.ts';
import { Handlers } from './handlers.ts';
import { resolveOptions, type AgentOptions } from './options.ts';

const { version } = createRequire(import.meta.url)('../../package.json') as {
  readonly version: string;
};

/** How long running tasks may take to finish where nobody says. */
export const DRAIN_DEADLINE_MS = 30_000;

/** Options of {@link QuicSwarmAgent.connect}. */
export interface ConnectOptions extends AgentOptions {
  /** How the coordinator is recognised; ignored when `transport` is given. @default the development certificate */
  readonly security?: SecurityOptions;
}

/** An agent that is connected to a coordinator and, once it runs, computes its tasks. */
export class QuicSwarmAgent {
  readonly id: string;
  readonly #driver: Driver;
  readonly #handlers: Handlers;

  private constructor(id: string, driver: Driver, handlers: Handlers) {
    this.id = id;
    this.#driver = driver;
    this.#handlers = handlers;
  }

  /**
   * Joins a coordinator. Resolves when it has accepted the agent; nothing is computed before `run`.
   * @throws BAD_OPTION, BAD_ADDRESS, CONNECT_FAILED (within connectTimeoutMs), BAD_CERTIFICATE, VERSION_MISMATCH,
   * DUPLICATE_AGENT
   */
  static async connect(options: ConnectOptions): Promise<QuicSwarmAgent> {
    const address =
      typeof options.address === 'string' ? parseAddress(options.address) : options.address;
    const resolved = resolveOptions(options);
    const handlers = new Handlers(options.type);
    handlers.addAll(options);
    let onConnected: () => void = () => {};
    const connected = new Promise<void>((resolve) => {
      onConnected = resolve;
    });
    const driver = new Driver({
      transport: options.transport ?? transportTo(address, options.security ?? {}),
      address,
      handlers: handlers.places,
      threads: resolved.threads,
      datasetBytesMax: resolved.datasetBytesMax,
      compression: resolved.compression,
      core: {
        agentId: options.id,
        agentType: options.type,
        slots: resolved.slots,
        labels: options.labels ?? {},
        resources: resolved.resources,
        software: `quic-swarm ${version}`,
        connectTimeoutMs: resolved.connectTimeoutMs,
        giveUpAfterMs: options.giveUpAfterMs,
        backoffMs: nextDelayMs,
        threads: resolved.threads,
        capabilities: handlers.capabilities,
        onMainThread: handlers.onMainThread,
        tunables: handlers.tunables,
        isObserved: options.onEvent !== undefined,
      },
      onEvent: (event: AgentEvent) => {
        if (event.type === 'connected') onConnected();
        options.onEvent?.(event);
      },
    });
    void driver.tell({ type: 'Started' });
    await Promise.race([connected, driver.stopped]);
    const agent = new QuicSwarmAgent(options.id, driver, handlers);
    agent.#warmUp();
    return agent;
  }

  /** What the agent is doing, in a word. */
  get state(): AgentCore['state'] {
    return this.#driver.state;
  }

  /** The task types that it has handlers for. */
  get capabilities(): string[] {
    return this.#handlers.capabilities;
  }

  /**
   * Adds or replaces the handler of a task type, at any time: the URL of a module with `export default` (or an export
   * named `handle`), which runs in worker threads, or a function, which runs on the main thread and should be light.
   * @param options `tunable`: the arms that a coordinator that learns may choose among
   * @throws BAD_OPTION
   */
  handle<I, O>(
    taskType: string,
    handler: URL | TaskHandler<I, O>,
    options: HandleOptions = {},
  ): this {
    // What a handler takes is between it and those who submit; the agent carries bytes.
    this.#handlers.add(taskType, handler as URL | TaskHandler, options);
    this.#warmUp();
    const { capabilities, onMainThread, tunables } = this.#handlers;
    void this.#driver.tell({ type: 'CapabilitiesChanged', capabilities, onMainThread, tunables });
    return this;
  }

  /**
   * Asks for tasks and computes them, across lost connections. Resolves after `drain` or `close`, or when the
   * coordinator has drained the agent.
   * @param options `signal` closes the agent
   * @throws the reason why it gave up: DUPLICATE_AGENT, BAD_CERTIFICATE, CONNECTION_LOST after giveUpAfterMs, …
   */
  async run(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    if (this.state === 'stopped') {
      await this.#driver.stopped;
      throw new SwarmError('CLOSED', `The agent ${this.id} was closed before it ran.`);
    }
    const { signal } = options;
    const onAbort = (): void => void this.close();
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
    try {
      void this.#driver.tell({ type: 'WorkRequested' });
      await this.#driver.stopped;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /**
   * Takes nothing new, gives back what was not started, finishes what runs, says goodbye. What still runs at the
   * deadline is stopped and tried elsewhere. Resolves when all is done. A second call can only make it shorter.
   */
  async drain(
    options: { readonly deadlineMs?: number; readonly reason?: string } = {},
  ): Promise<void> {
    const { deadlineMs = DRAIN_DEADLINE_MS, reason = 'the agent was asked to leave' } = options;
    void this.#driver.tell({ type: 'DrainRequested', deadlineMs, reason });
    await this.#ended();
  }

  /** Leaves at once; running tasks are stopped and tried elsewhere. Idempotent. */
  async close(): Promise<void> {
    void this.#driver.tell({ type: 'CloseRequested', reason: 'the agent was closed' });
    await this.#ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** How it ended is `run`'s to tell; whoever wants it to end only wants to know when. */
  async #ended(): Promise<void> {
    await this.#driver.stopped.catch(() => {});
  }

  #warmUp(): void {
    if (this.#handlers.usesThreads) this.#driver.warmUp();
  }
}
