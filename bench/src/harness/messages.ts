/** What the bench and its child processes say to each other. */
import type { Abilities, Addresses, TlsIdentity } from '../peers/contract.ts';
import type { Measured, Settings, Variant } from './model.ts';

/** What a child is asked; each request has exactly one reply. */
export interface Requests {
  /** Become one process of a peer. */
  start: {
    readonly ask: {
      readonly peer: string;
      readonly process: string;
      readonly variant: Variant;
      readonly addresses: Addresses;
      readonly identity: TlsIdentity;
    };
    readonly reply: {
      readonly address: string | undefined;
      /** Programs that it started, such as a broker: their CPU counts, and they must not outlive it. */
      readonly programPids: readonly number[];
      readonly abilities: readonly (keyof Abilities)[];
    };
  };
  /** Warm a workload up. */
  prepare: {
    readonly ask: { readonly workload: string; readonly settings: Settings };
    readonly reply: undefined;
  };
  /** Measure what was prepared. */
  measure: { readonly ask: undefined; readonly reply: Measured };
  /** Give back what was prepared. */
  dispose: { readonly ask: undefined; readonly reply: undefined };
  /** Microseconds of CPU that the process has used since its start. */
  cpu: { readonly ask: undefined; readonly reply: number };
  /** Close what is open and end. */
  stop: { readonly ask: undefined; readonly reply: undefined };
}

export type RequestName = keyof Requests;

/** As sent to the child. */
export interface Request<Name extends RequestName = RequestName> {
  readonly id: number;
  readonly name: Name;
  readonly ask: Requests[Name]['ask'];
}

/** As sent by the child. */
export type Reply =
  | { readonly id: number; readonly reply: unknown }
  | { readonly id: number; readonly error: string };
