/**
 * All messages of the protocol: their number on the wire, who sends them on which stream, how long their frame may
 * be, and their schema. This table is the single source for encoding, checking and documentation.
 */
import type { TSchema } from 'typebox';
import { CONTROL_FRAME_BYTES_MAX, TENSOR_FRAME_BYTES_MAX } from './limits.ts';
import * as clients from './messages/clients.ts';
import * as health from './messages/health.ts';
import * as joining from './messages/joining.ts';
import * as learning from './messages/learning.ts';
import * as tasks from './messages/tasks.ts';

/** Who sends a message. */
export type Sender = 'agent' | 'client' | 'coordinator';

/** The kind of stream a message travels on: the control stream, or one opened by StreamOpen. */
export type StreamKind = 'control' | joining.StreamPurpose;

interface MessageRow<S extends TSchema> {
  /** The byte behind the frame length. */
  readonly number: number;
  readonly from: readonly Sender[];
  readonly on: readonly StreamKind[];
  /** Longest frame, type byte and body. */
  readonly frameBytesMax: number;
  readonly schema: S;
}

const control = ['control'] as const;
const work = ['dispatch', 'task'] as const;
const requests = ['client', 'task'] as const;

/** The messages by name. Numbers are grouped by topic and never reused. */
export const MESSAGES = {
  AgentHandshake: row(0x01, ['agent'], control, joining.AgentHandshake),
  AgentAck: row(0x02, ['coordinator'], control, joining.AgentAck),
  ClientHandshake: row(0x03, ['client'], control, joining.ClientHandshake),
  ClientAck: row(0x04, ['coordinator'], control, joining.ClientAck),
  StreamOpen: row(
    0x05,
    ['agent', 'client', 'coordinator'],
    ['dispatch', 'task', 'dataset', 'client'],
    joining.StreamOpen,
  ),
  Goodbye: row(0x06, ['agent', 'client', 'coordinator'], control, joining.Goodbye),
  CapabilityUpdate: row(0x07, ['agent'], control, joining.CapabilityUpdate),
  EncodingOffer: row(0x08, ['agent', 'client'], control, joining.EncodingOffer),

  AgentTask: row(0x10, ['coordinator'], work, tasks.AgentTask),
  TaskStarted: row(0x11, ['agent'], ['dispatch'], tasks.TaskStarted),
  TaskProgress: row(0x12, ['agent'], ['dispatch'], tasks.TaskProgress),
  ResultChunk: row(0x13, ['agent'], work, tasks.ResultChunk),
  TaskCompletion: row(0x14, ['agent'], work, tasks.TaskCompletion),
  ErrorReport: row(
    0x15,
    ['agent', 'client', 'coordinator'],
    ['control', 'dispatch', 'client', 'dataset'],
    tasks.ErrorReport,
  ),
  MessageAck: row(
    0x16,
    ['agent', 'client', 'coordinator'],
    ['control', 'dispatch', 'client'],
    tasks.MessageAck,
  ),
  CancelTask: row(0x17, ['client', 'coordinator'], control, tasks.CancelTask),
  LeaseReturn: row(0x18, ['agent'], control, tasks.LeaseReturn),
  LeaseRecall: row(0x19, ['coordinator'], ['dispatch'], tasks.LeaseRecall),
  CreditGrant: row(0x1a, ['agent'], control, tasks.CreditGrant),
  Drain: row(0x1b, ['agent', 'coordinator'], control, tasks.Drain),
  PayloadChunk: row(
    0x1c,
    ['agent', 'client', 'coordinator'],
    ['task', 'dataset'],
    tasks.PayloadChunk,
    TENSOR_FRAME_BYTES_MAX,
  ),
  AgentControl: row(0x1d, ['client'], control, tasks.AgentControl),
  ShardBound: row(0x1e, ['agent', 'coordinator'], ['dispatch'], tasks.ShardBound),

  ReasoningExperience: row(0x20, ['agent', 'client'], control, learning.ReasoningExperience),
  Verdict: row(0x21, ['agent', 'coordinator'], control, learning.Verdict),
  AdaptationSuggestion: row(0x22, ['coordinator'], control, learning.AdaptationSuggestion),
  AdaptationAck: row(0x23, ['agent'], control, learning.AdaptationAck),
  TaskOutcome: row(0x24, ['client'], control, learning.TaskOutcome),
  QueryReasoning: row(0x25, ['client'], control, learning.QueryReasoning),
  ReasoningReport: row(0x26, ['coordinator'], control, learning.ReasoningReport),
  ControlReasoning: row(0x27, ['client'], control, learning.ControlReasoning),
  TunableOffer: row(0x28, ['agent'], control, learning.TunableOffer),

  SubmitTask: row(0x30, ['client'], requests, clients.SubmitTask),
  SubmitAck: row(0x31, ['coordinator'], ['client'], clients.SubmitAck),
  WatchTask: row(0x32, ['client'], ['client'], clients.WatchTask),
  TaskEvent: row(0x33, ['coordinator'], requests, clients.TaskEvent),
  QueryStatus: row(0x34, ['client'], control, clients.QueryStatus),
  StatusReport: row(0x35, ['coordinator'], control, clients.StatusReport),
  QueryDataset: row(0x36, ['client'], control, clients.QueryDataset),
  PutDataset: row(0x37, ['client'], ['dataset'], clients.PutDataset),
  DatasetAck: row(0x38, ['coordinator'], ['control', 'dataset'], clients.DatasetAck),
  GetDataset: row(0x39, ['agent', 'client'], ['dataset'], clients.GetDataset),
  Dataset: row(0x3a, ['coordinator'], ['dataset'], clients.Dataset),
  ControlDeadLetter: row(0x3b, ['client'], ['client'], clients.ControlDeadLetter),

  HeartbeatMessage: row(0x40, ['agent'], control, health.HeartbeatMessage),
  HeartbeatAck: row(0x41, ['coordinator'], control, health.HeartbeatAck),
} as const;

/** The name of a message. */
export type MessageType = keyof typeof MESSAGES;

/** The types behind {@link MESSAGES}, spelled out: looked up by name they cost the compiler nothing, computed from the
 *  schemas at each use they cost it seconds. */
interface MessageBodies {
  AgentHandshake: joining.AgentHandshake;
  AgentAck: joining.AgentAck;
  ClientHandshake: joining.ClientHandshake;
  ClientAck: joining.ClientAck;
  StreamOpen: joining.StreamOpen;
  Goodbye: joining.Goodbye;
  CapabilityUpdate: joining.CapabilityUpdate;
  EncodingOffer: joining.EncodingOffer;
  AgentTask: tasks.AgentTask;
  TaskStarted: tasks.TaskStarted;
  TaskProgress: tasks.TaskProgress;
  ResultChunk: tasks.ResultChunk;
  TaskCompletion: tasks.TaskCompletion;
  ErrorReport: tasks.ErrorReport;
  MessageAck: tasks.MessageAck;
  CancelTask: tasks.CancelTask;
  LeaseReturn: tasks.LeaseReturn;
  LeaseRecall: tasks.LeaseRecall;
  CreditGrant: tasks.CreditGrant;
  Drain: tasks.Drain;
  PayloadChunk: tasks.PayloadChunk;
  AgentControl: tasks.AgentControl;
  ShardBound: tasks.ShardBound;
  ReasoningExperience: learning.ReasoningExperience;
  Verdict: learning.Verdict;
  AdaptationSuggestion: learning.AdaptationSuggestion;
  AdaptationAck: learning.AdaptationAck;
  TaskOutcome: learning.TaskOutcome;
  QueryReasoning: learning.QueryReasoning;
  ReasoningReport: learning.ReasoningReport;
  ControlReasoning: learning.ControlReasoning;
  TunableOffer: learning.TunableOffer;
  SubmitTask: clients.SubmitTask;
  SubmitAck: clients.SubmitAck;
  WatchTask: clients.WatchTask;
  TaskEvent: clients.TaskEvent;
  QueryStatus: clients.QueryStatus;
  StatusReport: clients.StatusReport;
  QueryDataset: clients.QueryDataset;
  PutDataset: clients.PutDataset;
  DatasetAck: clients.DatasetAck;
  GetDataset: clients.GetDataset;
  Dataset: clients.Dataset;
  ControlDeadLetter: clients.ControlDeadLetter;
  HeartbeatMessage: health.HeartbeatMessage;
  HeartbeatAck: health.HeartbeatAck;
}

/** The fields of one message. */
export type BodyOf<T extends MessageType> = MessageBodies[T];

/** One message: its name and its fields. */
export type MessageOf<T extends MessageType> = { readonly type: T; readonly body: BodyOf<T> };

/** Any message, told apart by `type`. */
export type Message = { [T in MessageType]: MessageOf<T> }[MessageType];

const byNumber: readonly (MessageType | undefined)[] = Array.from({ length: 256 }, (_, number) =>
  (Object.keys(MESSAGES) as MessageType[]).find((type) => MESSAGES[type].number === number),
);

/** The message with this number; undefined when there is none. */
export function messageTypeOf(number: number): MessageType | undefined {
  return byNumber[number];
}

/** May `sender` send this message on a stream of this kind? */
export function isExpected(type: MessageType, sender: Sender, stream: StreamKind): boolean {
  const { from, on }: { from: readonly Sender[]; on: readonly StreamKind[] } = MESSAGES[type];
  return from.includes(sender) && on.includes(stream);
}

function row<S extends TSchema>(
  number: number,
  from: readonly Sender[],
  on: readonly StreamKind[],
  schema: S,
  frameBytesMax: number = CONTROL_FRAME_BYTES_MAX,
): MessageRow<S> {
  return { number, from, on, frameBytesMax, schema };
}
