/**
 * A recording of everything that reached the core. The core is a function of its events and their times, so a recording
 * played into another core gives the same effects; a checksum after each settling proves that it did.
 */
import { decodeDocument, encodeDocument } from '@quic-swarm/protocol';
import type { CoordinatorEffect } from './effects.ts';
import type { CoordinatorEvent } from './events.ts';
import { hashBytes } from './hash.ts';
import type { CoreOptions } from './options.ts';

/** Rises when entries change in a way that older releases would misread. */
export const RECORDING_FORMAT = 1;

/** The first entry: who recorded, and the core as it was made. */
export interface RecordingStart {
  readonly kind: 'start';
  readonly format: number;
  readonly software: string;
  readonly options: CoreOptions;
}

/** Something happened. */
export interface RecordedEvent {
  readonly kind: 'event';
  readonly atMs: number;
  readonly event: CoordinatorEvent;
}

/** The core was asked what to do. */
export interface RecordedSettling {
  readonly kind: 'settled';
  /** Effects, and what their bytes add up to. */
  readonly effects: number;
  readonly checksum: number;
}

/** Any entry. */
export type RecordingEntry = RecordingStart | RecordedEvent | RecordedSettling;

/** What proves that effects are the same. */
export function settlingOf(effects: readonly CoordinatorEffect[]): RecordedSettling {
  const checksum = effects.length === 0 ? 0 : hashBytes(encodeDocument(effects));
  return { kind: 'settled', effects: effects.length, checksum };
}

/** An entry as it lies in a file, without its length. */
export function encodeEntry(entry: RecordingEntry): Uint8Array {
  return encodeDocument(entry);
}

/** The reverse; throws BAD_INPUT. */
export function decodeEntry(bytes: Uint8Array): RecordingEntry {
  return decodeDocument(bytes) as RecordingEntry;
}
