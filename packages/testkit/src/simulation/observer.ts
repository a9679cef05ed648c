/** What checkers and traces see of a run. All methods are called while it happens, before what follows from it. */
import type { AgentCore } from '@quic-swarm/agent';
import type { CoordinatorCore, CoordinatorEffect, CoordinatorEvent } from '@quic-swarm/coordinator';
import type { AgentTask, Failure, Message, TaskEvent } from '@quic-swarm/protocol';

/** What a client wants from a task, and what became of it. */
export interface Promised {
  readonly taskId: string;
  readonly work: number;
  readonly isDurable: boolean;
  readonly isWatched: boolean;
  readonly clientName: string;
  /** The dead letter that it was before. */
  readonly replayOf: string | undefined;
}

/** Sees a run. Everything is optional: each looks at what it cares for. */
export interface Observer {
  /** A coordinator begins its life. */
  coordinatorStarted?(core: CoordinatorCore): void;
  /** It has read what earlier lives have written down; only where there is a disk. */
  coordinatorRestored?(core: CoordinatorCore): void;
  coordinatorKilled?(core: CoordinatorCore): void;
  coordinatorTakes?(event: CoordinatorEvent, core: CoordinatorCore): void;
  coordinatorWants?(effect: CoordinatorEffect, core: CoordinatorCore): void;
  /** All effects of a turn were carried out. */
  coordinatorSettled?(core: CoordinatorCore): void;
  /** A message reached an agent, which does not know it yet. */
  agentHears?(agentId: string, message: Message, core: AgentCore): void;
  agentSettled?(agentId: string, core: AgentCore): void;
  /** A handler begins to compute, really. */
  handlerBegins?(agentId: string, task: AgentTask): void;
  /** A client's submission was acknowledged; the id differs where an idempotency key led to an earlier task. */
  clientAccepted?(promised: Promised, taskId: string): void;
  /** A client's promise was settled: by the end of its task, a refusal, or the loss of both. */
  clientSettled?(promised: Promised, how: TaskEvent | Failure): void;
  /** A client wants a dead letter to be dropped. */
  dropAsked?(taskId: string): void;
  /** And was told that it is. */
  dropAnswered?(taskId: string): void;
  /** Faults have stopped, and what can end has had the time to. */
  healed?(core: CoordinatorCore): void;
}
