/** What every process of a simulation is given. */
import type { Message } from '@quic-swarm/protocol';
import type { TaskNames } from './names.ts';
import type { Network } from './network.ts';
import type { Observer } from './observer.ts';
import type { RandomStream } from './random-stream.ts';
import type { VirtualClock } from './virtual-clock.ts';
import type { Submission } from './submission.ts';
import type { WorkBook } from './work.ts';

/** See the head of this file. */
export interface WorldParts {
  readonly clock: VirtualClock;
  readonly random: RandomStream;
  readonly network: Network;
  readonly names: TaskNames;
  readonly works: WorkBook;
  /** What was asked for, by task id: who finds a dead letter has to know what its result would be. */
  readonly submissions: Map<string, Submission>;
  /** Writes a line of the trace. */
  readonly note: (text: string) => void;
  /** Shows something to all observers. */
  readonly observe: (show: (observer: Observer) => void) => void;
  /** Whether a message gets a stream of its own, because its payload is long. */
  readonly travelsAlone: (message: Message, random: RandomStream, pathName: string) => boolean;
}
