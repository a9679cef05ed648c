/** What a simulated client submits. */
import type { SubmitTask } from '@quic-swarm/protocol';

/** What a user asks for when submitting; the client adds ids and the input. */
export type SubmissionTerms = Omit<SubmitTask, 'requestId' | 'taskId' | 'payload'>;

/** One submission. */
export interface Submission {
  /** Its task is `t<number>`. */
  readonly number: number;
  readonly work: number;
  readonly terms: SubmissionTerms;
  /** The dead letter that it is submitted again for. */
  readonly replayOf?: string;
}
