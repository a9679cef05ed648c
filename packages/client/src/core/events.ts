/** What goes into a session and what comes out of it. */
import type {
  BodyOf,
  Failure,
  Message,
  MessageOf,
  TaskEvent,
  WatchLevel,
} from '@quic-swarm/protocol';

/** Messages that are answered by their requestId. All may be repeated harmlessly, so a reconnect sends them again. */
type RequestType =
  | 'SubmitTask'
  | 'WatchTask'
  | 'CancelTask'
  | 'QueryStatus'
  | 'QueryDataset'
  | 'AgentControl'
  | 'ControlDeadLetter'
  | 'TaskOutcome'
  | 'QueryReasoning'
  | 'ControlReasoning';

/** A request; its requestId is always set (the schema of CancelTask leaves it open). */
export type RequestMessage = {
  [T in RequestType]: { readonly type: T; readonly body: BodyOf<T> & { requestId: number } };
}[RequestType];

/** A task that a request is about to make, or to watch, and how much is to be heard of it. */
export interface AskedTask {
  readonly taskId: string;
  readonly watch: WatchLevel;
  /** The request makes it, so no part of its result can have been missed yet. */
  readonly isNew: boolean;
}

/** The task that SubmitAck will be about; undefined for requests that are answered otherwise. */
export function askedTaskOf({ type, body }: RequestMessage): AskedTask | undefined {
  switch (type) {
    case 'SubmitTask':
    case 'WatchTask':
      return { taskId: body.taskId, watch: body.watch, isNew: type === 'SubmitTask' };
    case 'ControlDeadLetter': {
      const { replayId, watch = 'none' } = body;
      return replayId === undefined ? undefined : { taskId: replayId, watch, isNew: true };
    }
    default:
      return undefined;
  }
}

/** Messages that answer a request with success. */
export type AnswerType =
  | 'SubmitAck'
  | 'MessageAck'
  | 'StatusReport'
  | 'DatasetAck'
  | 'ReasoningReport';

/** One of them. */
export type AnswerMessage = { [T in AnswerType]: MessageOf<T> }[AnswerType];

/** What happened. */
export type SessionEvent =
  | {
      readonly type: 'requested';
      readonly message: RequestMessage;
      /** Infinity for none. */
      readonly timeoutMs: number;
    }
  /** The user does not want the task any more. `requestId` is that of its submission. */
  | {
      readonly type: 'abandoned';
      readonly taskId: string;
      readonly requestId: number;
      readonly reason: string;
    }
  | { readonly type: 'connected' }
  /** A connection ended, or a try to connect failed. `random` is uniform in [0, 1), for the jitter. */
  | { readonly type: 'disconnected'; readonly failure: Failure; readonly random: number }
  | { readonly type: 'received'; readonly message: Message }
  | { readonly type: 'timePassed' }
  | { readonly type: 'closed' };

/** What to do about it, in order. */
export type SessionEffect =
  | { readonly type: 'connect' }
  | { readonly type: 'send'; readonly message: Message }
  | {
      readonly type: 'answered';
      readonly requestId: number;
      readonly message: AnswerMessage;
    }
  | { readonly type: 'refused'; readonly requestId: number; readonly failure: Failure }
  /** An idempotency key led to an earlier task: what was known as `fromTaskId` is now `toTaskId`. */
  | { readonly type: 'redirected'; readonly fromTaskId: string; readonly toTaskId: string }
  /** State, progress or end of a task. */
  | { readonly type: 'taskChanged'; readonly event: TaskEvent }
  /** How the task ends will not be known. */
  | { readonly type: 'taskLost'; readonly taskId: string; readonly failure: Failure }
  | {
      readonly type: 'chunksArrived';
      readonly taskId: string;
      readonly payloads: readonly Uint8Array[];
    }
  /** No more parts will come; with a failure when some are missing. */
  | {
      readonly type: 'chunksEnded';
      readonly taskId: string;
      readonly failure: Failure | undefined;
    }
  /** Nothing more will be said about the task. */
  | { readonly type: 'forgotten'; readonly taskId: string }
  /** Reconnecting was given up; the next request starts it again. */
  | { readonly type: 'gaveUp'; readonly failure: Failure };

/** Nothing to do; shared, since most answers of a session are empty. */
export const NO_EFFECTS: readonly SessionEffect[] = [];
