/**
 * What a peer must be able to do to take part: start its processes, and in the last of them, the client, do one or more
 * of the things that workloads ask for. One file per peer; nothing outside knows its library.
 */
import type { LearningRow } from '@quic-swarm/testkit';
import type { Variant } from '../harness/model.ts';
import type { KernelName } from './kernel-inputs.ts';

/** The certificate of every server of a run, and the authority that issued it, which every client trusts; all PEM. */
export interface TlsIdentity {
  readonly authority: string;
  readonly certificate: string;
  readonly privateKey: string;
}

/** Where the processes that were started before are reached, by process name. */
export type Addresses = Readonly<Record<string, string>>;

/** What a process is started with. */
export interface ProcessContext {
  readonly identity: TlsIdentity;
  readonly variant: Variant;
  readonly addresses: Addresses;
}

/** A long-lived stream (or what comes nearest) on which every message is answered with one of the same size. */
export interface Channel {
  send(message: Uint8Array): void;
  /** Called with the number of answers that have arrived since the last call. */
  onAnswers: (count: number) => void;
  close(): void;
}

/** Streams that are open at the same time, each of which has carried a message and its answer. */
export interface OpenStreams {
  /** Ends them all; resolves when both sides have finished every one. */
  close(): Promise<void>;
}

/** How long it took to be connected. */
export interface ConnectTimes {
  /** Until the library says that the connection stands; undefined where it never says so. */
  readonly connectedMs: number | undefined;
  /** Until the answer to a first message of 256 bytes. */
  readonly firstAnswerMs: number;
  readonly isResumed: boolean;
}

/** Bars to compute indicators of; a peer turns them into what it likes best before the clock runs. */
export interface Bars {
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

/** Computes over all rows; the last value of each line, so that nobody can skip the work. */
export type IndicatorRun = () => readonly number[];

/** A queue that was filled. */
export interface FilledQueue {
  /** Tasks per second in the first and in the last tenth of the filling. */
  readonly firstRate: number;
  readonly lastRate: number;
  /** Resident memory of whoever keeps the queue, at the end. */
  readonly bytes: number;
}

/** What workloads ask of a client. */
export interface Abilities {
  openChannel(messageBytes: number): Promise<Channel>;
  /** A request on a stream (or a call) of its own; resolves when its answer is complete. */
  request(message: Uint8Array): Promise<void>;
  /** Sends so many bytes on one stream; resolves when the other side says that it has them all. */
  sendOneWay(totalBytes: number): Promise<void>;
  /** Opens so many streams, sends a message on each and waits for all answers. */
  openTogether(count: number, message: Uint8Array): Promise<OpenStreams>;
  /** Connects, asks one question, and closes; none of the closing is in the times. */
  connectCold(): Promise<ConnectTimes>;
  /** The same with what an earlier connection left: a TLS session. */
  connectResumed(): Promise<ConnectTimes>;
  /** Has a task that does nothing computed by another process; resolves with its result. */
  runTask(): Promise<void>;
  /** Has a task that computes for so long done by another process, in a thread where that has any for it. */
  runTinyTask(computeMs: number): Promise<void>;
  /** Submits so many tasks that nobody can compute; resolves when all are accepted. */
  fillQueue(count: number): Promise<FilledQueue>;
  /** Lets time pass. */
  beIdle(durationMs: number): Promise<void>;
  /** Gets ready to compute the indicator of this name (see `workloads/indicators.ts`) over these bars. */
  prepareIndicator(name: string, bars: Bars): IndicatorRun;
  /** Has so many tasks decided upon: each submitted, given to an agent and ended. */
  decideTasks(count: number): Promise<void>;
  /** Searches in the long series (see `kernel-inputs.ts`); where the best match begins. */
  search(name: KernelName, points: number): Promise<number>;
  /** Prepares a kernel; each call of what it returns computes it once and gives a number of the answer. */
  kernel(name: KernelName): () => number;
  /** Forecasts on real series and learns, or does not, which parameters are good; what came of it. */
  learnParameters(): LearningRow;
  /** Chooses the parameters of one task and learns from its outcome. */
  chooseAndLearn(): void;
}

/** A process of a peer that runs. */
export interface StartedProcess {
  /** Where the next ones reach it. */
  readonly address?: string;
  readonly programPids?: readonly number[];
  readonly abilities?: Partial<Abilities>;
  stop(): Promise<void> | void;
}

/** A peer. */
export interface Peer {
  /** npm packages whose versions the report names. */
  readonly packages: readonly string[];
  /** Programs that must be installed, or it is skipped. */
  readonly programs?: readonly string[];
  /** In the order in which they are started; the last one is the client. */
  readonly processes: readonly {
    readonly name: string;
    start(context: ProcessContext): Promise<StartedProcess>;
  }[];
}

/** The address that a process started before gave. */
export function addressOf({ addresses }: ProcessContext, process: string): string {
  const address = addresses[process];
  if (address === undefined) throw new Error(`No process ${process} was started before.`);
  return address;
}

/** Host and port of `HOST:PORT`. */
export function hostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}
