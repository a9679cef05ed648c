/**
 * What the coordinator learns from: asking for it with a submission, telling how a task turned out, and seeing, moving and
 * forgetting what was learnt. All of it needs a coordinator that offers the feature `learning`.
 */
import {
  REASONING_MEDIA_TYPE,
  SwarmError,
  checkMessage,
  type LearnRequest,
  type MemoryItem,
  type MessageOf,
  type ReasoningAgentRow,
  type ReasoningArmRow,
  type ReasoningExplanation,
  type ReasoningTypeRow,
} from '@quic-swarm/protocol';
import type { RequestMessage } from '../core/events.ts';
import type { Datasets } from './datasets.ts';
import type { Driver } from './driver.ts';
import type { KnownOutcome, LearnOptions, ReasoningQuery } from './options.ts';

/** Numbers that a context may have. */
const CONTEXT_LENGTH_MAX = 16;

/** What each view of `reasoning` answers. */
export interface ReasoningViews {
  readonly types: readonly ReasoningTypeRow[];
  readonly arms: readonly ReasoningArmRow[];
  readonly items: readonly MemoryItem[];
  readonly agents: readonly ReasoningAgentRow[];
  readonly explain: ReasoningExplanation;
}

type Report = MessageOf<'ReasoningReport'>['body'];
type Query = Omit<MessageOf<'QueryReasoning'>['body'], 'requestId'>;

/** What one coordinator learns. */
export class Learning {
  readonly #driver: Driver;
  readonly #datasets: Datasets;
  readonly #timeoutMs: number;

  /** `timeoutMs` bounds the wait for each answer. */
  constructor(driver: Driver, datasets: Datasets, timeoutMs: number) {
    this.#driver = driver;
    this.#datasets = datasets;
    this.#timeoutMs = timeoutMs;
  }

  /** See `SwarmClient.outcome`. */
  async outcome(taskId: string, known: KnownOutcome): Promise<void> {
    const told = Object.entries(known).filter(([, value]) => value !== undefined);
    if (told.every(([name]) => name === 'step')) {
      throw new SwarmError(
        'BAD_OPTION',
        'An outcome without actual, loss and utility says nothing.',
        {
          hint: 'Give the value that came as `actual`; without one, a loss or a utility.',
        },
      );
    }
    const body = { requestId: this.#driver.newRequestId(), taskId, ...Object.fromEntries(told) };
    await this.#order({ type: 'TaskOutcome', body });
  }

  /** See `SwarmClient.reasoning`. */
  async view<V extends keyof ReasoningViews>(
    view: V,
    query: ReasoningQuery,
  ): Promise<ReasoningViews[V]> {
    const { taskType, taskId } = query;
    const isWhole = view !== 'arms' && view !== 'explain';
    if (!isWhole && taskType === undefined && (view === 'arms' || taskId === undefined)) {
      throw new SwarmError('BAD_OPTION', `Of which task type are the ${view} wanted?`, {
        hint: "Give a taskType; reasoning('types') lists those that something is known of.",
      });
    }
    const report = await this.#ask({
      view,
      ...(taskType === undefined ? {} : { taskType }),
      ...(taskId === undefined ? {} : { taskId }),
    });
    const { types = [], arms = [], items = [], agents = [], explanation: explain } = report;
    const views: { [V in keyof ReasoningViews]: ReasoningViews[V] | undefined } = {
      types,
      arms,
      items,
      agents,
      explain,
    };
    const answer = views[view];
    if (answer === undefined) throw without('explanation');
    return answer;
  }

  /** See `SwarmClient.exportReasoning`. */
  async exportAll(): Promise<Uint8Array> {
    const { datasetId } = await this.#ask({ view: 'export' });
    if (datasetId === undefined) throw without('data set');
    return (await this.#datasets.get(datasetId)).bytes;
  }

  /** See `SwarmClient.importReasoning`. */
  async importAll(bytes: Uint8Array): Promise<void> {
    this.#requireLearning();
    const { datasetId } = await this.#datasets.put(bytes, { mediaType: REASONING_MEDIA_TYPE });
    const requestId = this.#driver.newRequestId();
    await this.#order({
      type: 'ControlReasoning',
      body: { requestId, action: 'import', datasetId },
    });
  }

  /** See `SwarmClient.resetReasoning`. */
  async reset(taskType: string | undefined): Promise<void> {
    const requestId = this.#driver.newRequestId();
    const which = taskType === undefined ? {} : { taskType };
    await this.#order({ type: 'ControlReasoning', body: { requestId, action: 'reset', ...which } });
  }

  async #order(message: RequestMessage): Promise<void> {
    checkMessage(message, 'BAD_OPTION');
    this.#requireLearning();
    await this.#driver.request('MessageAck', message, this.#timeoutMs);
  }

  async #ask(query: Query): Promise<Report> {
    const body = { requestId: this.#driver.newRequestId(), ...query };
    const message = { type: 'QueryReasoning', body } as const;
    checkMessage(message, 'BAD_OPTION');
    this.#requireLearning();
    return this.#driver.request('ReasoningReport', message, this.#timeoutMs);
  }

  #requireLearning(): void {
    if (!this.#driver.offers('learning')) throw notLearning();
  }
}

/** The option `learn` as it travels. @throws BAD_OPTION for a context that is too long */
export function learnRequestOf({ context, seriesId, step, shadow }: LearnOptions): LearnRequest {
  if (context !== undefined && context.length > CONTEXT_LENGTH_MAX) {
    throw new SwarmError('BAD_OPTION', `The context of learn has ${context.length} numbers.`, {
      hint: `At most ${CONTEXT_LENGTH_MAX}: a few that say what is special about this task.`,
    });
  }
  return {
    ...(context === undefined ? {} : { context: Float64Array.from(context) }),
    ...(seriesId === undefined ? {} : { seriesId }),
    ...(step === undefined ? {} : { step }),
    ...(shadow === undefined ? {} : { shadow }),
  };
}

/** The coordinator does not learn. */
export function notLearning(): SwarmError {
  return new SwarmError('UNSUPPORTED_OPTION', 'This coordinator does not learn from outcomes.', {
    hint: 'Start one of a release that offers the feature "learning", or submit without `learn`.',
  });
}

function without(part: string): SwarmError {
  return new SwarmError('BAD_MESSAGE', `The coordinator sent a report without the ${part}.`);
}
