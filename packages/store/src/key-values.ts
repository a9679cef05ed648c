/**
 * The key-value state: small, so that all of it is in memory. Twice, because a change is decided on when it is called (the
 * order of the calls is the order of the changes) and shown when it is durable.
 */
import type { KeyChange } from './contract.ts';
import type { KeyValue, Operation } from './engine.ts';
import { badOption, tooLarge } from './failures.ts';
import { keyOfValueKey, valueKey } from './keys.ts';
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from './limits.ts';
import { seal, sealOf, unseal } from './sealed.ts';

/** Keys that begin with it belong to the store itself. */
const RESERVED = '\0';
/** The key of the highest epoch, as a decimal number. */
export const EPOCH_KEY = '\0epoch';
/** The key of the snapshot in force, see snapshots.ts. */
export const SNAPSHOT_KEY = '\0snapshot';

const SUM_MODULUS = 2 ** 48;
const CHECKSUM_BYTES = 4;

interface Watcher {
  readonly prefix: string;
  readonly listener: (change: KeyChange) => void;
}

/** See the head of this file. */
export class KeyValues {
  /** Sealed values as they will be when everything that was called is durable. */
  readonly #called = new Map<string, Buffer>();
  /** Sealed values that are durable. */
  readonly #durable = new Map<string, Buffer>();
  readonly #watchers = new Set<Watcher>();
  #checksumSum = 0;

  /** How many keys there will be when everything that was called is durable. */
  get keyCount(): number {
    return this.#called.size;
  }

  /** The sum of their checksums, modulo 2^48. */
  get checksumSum(): number {
    return this.#checksumSum;
  }

  /** Takes over a pair that was found in the engine; false where it is damaged. */
  load([key, value]: KeyValue): boolean {
    if (unseal(key, value) === undefined) return false;
    this.#change(keyOfValueKey(key), value);
    this.#durable.set(keyOfValueKey(key), value);
    return true;
  }

  /** The value that a key has once everything that was called is durable. */
  called(key: string): Buffer | undefined {
    return this.#called.get(key)?.subarray(CHECKSUM_BYTES);
  }

  /** A copy of the value that is durable. */
  durable(key: string): Uint8Array | undefined {
    const value = this.#durable.get(key);
    return value === undefined ? undefined : new Uint8Array(value.subarray(CHECKSUM_BYTES));
  }

  /** Decides on a change, and returns what makes it durable. */
  change(key: string, value: Uint8Array | undefined): Operation {
    const place = valueKey(key);
    const sealed = value === undefined ? undefined : seal(place, value);
    this.#change(key, sealed);
    return { key: place, value: sealed };
  }

  /** Shows a change that has become durable. */
  show(key: string, sealed: Buffer | undefined): void {
    if (sealed === undefined) this.#durable.delete(key);
    else this.#durable.set(key, sealed);
    if (key.startsWith(RESERVED)) return;
    for (const watcher of this.#watchers) {
      if (!key.startsWith(watcher.prefix)) continue;
      try {
        watcher.listener({ key, value: this.durable(key) });
      } catch (error) {
        // A listener's bug is the listener's: it must neither stop the others nor look like an error of the disk.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  watch(prefix: string, listener: (change: KeyChange) => void): () => void {
    const watcher = { prefix, listener };
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** Tells the watchers nothing more. */
  dismiss(): void {
    this.#watchers.clear();
  }

  #change(key: string, sealed: Buffer | undefined): void {
    const before = this.#called.get(key);
    const removed = before === undefined ? 0 : sealOf(before);
    const added = sealed === undefined ? 0 : sealOf(sealed);
    this.#checksumSum = (this.#checksumSum + added - removed + SUM_MODULUS) % SUM_MODULUS;
    if (sealed === undefined) this.#called.delete(key);
    else this.#called.set(key, sealed);
  }
}

/** Throws BAD_OPTION or PAYLOAD_TOO_LARGE for what may not be stored. */
export function checkPair(key: string, value: Uint8Array | undefined): void {
  if (key === '' || key.startsWith(RESERVED)) {
    throw badOption(`${JSON.stringify(key)} is no key: it is empty or begins with U+0000.`);
  }
  if (/\p{Surrogate}/u.test(key))
    throw badOption(`${JSON.stringify(key)} is no key: it has half a character.`);
  const keyBytes = Buffer.byteLength(key);
  if (keyBytes > KEY_BYTES_MAX) {
    throw badOption(`A key has ${keyBytes} bytes; it may have ${KEY_BYTES_MAX}.`);
  }
  if (value !== undefined && value.length > VALUE_BYTES_MAX) {
    throw tooLarge(`The value of ${JSON.stringify(key)}`, value.length, VALUE_BYTES_MAX);
  }
}
