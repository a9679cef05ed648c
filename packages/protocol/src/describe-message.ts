/** Messages as a story tells them: what they are about, in a few words for people. */
import type { Message } from './message-table.ts';
import type { TaskEvent } from './messages/clients.ts';
import type { Lease } from './schema.ts';

/** How a story calls a task. */
export type NameTask = (taskId: string) => string;

const ROUTINE: ReadonlySet<string> = new Set(['HeartbeatMessage', 'HeartbeatAck', 'StreamOpen']);

/** True for messages that come all the time, whatever happens. */
export function isRoutine({ type }: Message): boolean {
  return ROUTINE.has(type);
}

/** A message in a few words. */
export function describeMessage(message: Message, nameOf: NameTask): string {
  const { type } = message;
  const detail = detailOf(message, nameOf);
  return detail === '' ? type : `${type} ${detail}`;
}

function detailOf(message: Message, nameOf: NameTask): string {
  const lease = ({ taskId, attempt }: Omit<Lease, 'epoch'>): string =>
    `${nameOf(taskId)}, attempt ${attempt}`;
  const leases = (all: readonly Lease[]): string => all.map(lease).join('; ');
  switch (message.type) {
    case 'AgentTask':
    case 'TaskStarted':
      return lease(message.body);
    case 'TaskProgress':
      return `${lease(message.body)}: ${Math.round(100 * message.body.fraction)} %`;
    case 'ShardBound':
      return `${lease(message.body)}: ${message.body.distance ?? 'nothing yet'}`;
    case 'ResultChunk':
      return `${lease(message.body)}: part ${message.body.sequence}`;
    case 'TaskCompletion': {
      const { outcome, failure, chunkCount } = message.body;
      const parts = chunkCount === 0 ? '' : `, ${chunkCount} parts`;
      return `${lease(message.body)}: ${outcome}${failure === undefined ? '' : ` (${failure.type})`}${parts}`;
    }
    case 'MessageAck': {
      const { status, failure, taskId } = message.body;
      const name = taskId === undefined ? '' : `${nameOf(taskId)}: `;
      const about = message.body.lease === undefined ? name : `${lease(message.body.lease)}: `;
      return `${about}${status}${failure === undefined ? '' : ` (${failure.type})`}`;
    }
    case 'CancelTask': {
      const { taskId, attempt } = message.body;
      return attempt === undefined ? nameOf(taskId) : lease({ taskId, attempt });
    }
    case 'LeaseReturn':
    case 'LeaseRecall':
    case 'HeartbeatMessage':
      return leases(message.body.leases);
    case 'AgentHandshake': {
      const held = leases(message.body.heldLeases);
      return held === '' ? '' : `holding ${held}`;
    }
    case 'AgentAck': {
      const resumed = leases(message.body.resumedLeases);
      return `epoch ${message.body.epoch}${resumed === '' ? '' : `, resuming ${resumed}`}`;
    }
    case 'ClientAck':
      return `epoch ${message.body.epoch}`;
    case 'CreditGrant':
      return String(message.body.credit);
    case 'StreamOpen':
      return message.body.purpose;
    case 'SubmitTask':
      return `${nameOf(message.body.taskId)} ${message.body.taskType}`;
    case 'WatchTask':
      return nameOf(message.body.taskId);
    case 'SubmitAck':
      return `${nameOf(message.body.taskId)}: ${message.body.state}${message.body.existing ? ', was there before' : ''}`;
    case 'TaskEvent':
      return `${nameOf(message.body.taskId)}: ${describeEvent(message.body)}`;
    case 'ErrorReport':
      return message.body.failure.type;
    case 'ControlDeadLetter':
      return `${message.body.action} ${nameOf(message.body.taskId)}`;
    case 'TaskOutcome':
      return `${nameOf(message.body.taskId)}: ${message.body.actual ?? message.body.loss ?? message.body.utility}`;
    case 'AdaptationSuggestion':
      return `${message.body.taskType}, ${message.body.canaryPercent} %`;
    case 'AdaptationAck':
      return message.body.accepted ? 'accepted' : 'not accepted';
    case 'QueryReasoning':
    case 'ReasoningReport':
      return message.body.view;
    case 'ControlReasoning':
      return message.body.action;
    case 'AgentControl':
      return `${message.body.action} ${message.body.agentId}`;
    case 'PutDataset':
    case 'GetDataset':
    case 'DatasetAck':
    case 'Dataset':
      return `…${message.body.datasetId.slice(-2)}`;
    default:
      return '';
  }
}

function describeEvent(event: TaskEvent): string {
  const { kind, state, pendingReason, failure, sequence, fraction, deadLettered } = event;
  switch (kind) {
    case 'state':
      return pendingReason === undefined ? state : `${state} (${pendingReason})`;
    case 'progress':
      return `${Math.round(100 * (fraction ?? 0))} %`;
    case 'chunk':
      return `part ${sequence}`;
    case 'end': {
      const reason = failure === undefined ? '' : ` (${failure.type})`;
      return `end, ${state}${reason}${deadLettered === true ? ', dead letter' : ''}`;
    }
  }
}
