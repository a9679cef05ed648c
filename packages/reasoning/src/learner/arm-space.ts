/**
 * The parameters that may be tuned for one type of task: a list of arms, each with its id and its place in a space of
 * features, so that what is learnt about one arm says something about its neighbours.
 */
import type { Arm } from '@quic-swarm/protocol';
import { FeatureMap } from './feature-map.ts';

const ARMS_MIN = 2;
const ARMS_MAX = 64;
const CONTEXT_LENGTH_MAX = 16;

/** As long as a `Name` of the protocol may be. */
const ARM_ID_LENGTH_MAX = 128;

/** What may be tuned: declared by whoever writes the handler. */
export interface Tunable {
  readonly taskType: string;
  /** 2 to 64 different arms with the same parameters; the first is what is used when nobody has learnt anything. */
  readonly arms: readonly Arm[];
  /**
   * Parameters whose other values cost nothing: a handler that computes an arm has computed all arms on the way that
   * differ from it in these only, and reports them. A search for the best 30 matches has found the best 5 as well.
   *
   * @default none
   */
  readonly freeParameters?: readonly string[];
}

/**
 * The canonical name of an arm: its parameters in the order of their names, `k=30,window=20,zNormalise=true`. Equal
 * arms have equal names and different arms different ones: a text that could be taken for something else is quoted as
 * in JSON. Names over 128 characters keep their beginning and end in `~` and 14 hexadecimal digits of a hash.
 *
 * @throws RangeError when a number is not finite
 */
export function armIdOf(arm: Arm): string {
  const names = Object.keys(arm).sort();
  const text = names.map((name) => `${word(name)}=${valueText(arm[name])}`).join(',');
  // An id is not empty; a parameter always has its `=`, so that nothing else is called like this.
  if (text === '') return '-';
  if (text.length <= ARM_ID_LENGTH_MAX) return text;
  const hash = hashOf(text);
  // Half a surrogate pair would not survive the wire.
  const start = text.slice(0, ARM_ID_LENGTH_MAX - hash.length - 1).replace(/[\uD800-\uDBFF]$/, '');
  return `${start}~${hash}`;
}

/** The arms of a task type as points. */
export class ArmSpace {
  readonly taskType: string;
  readonly arms: readonly Arm[];
  readonly armIds: readonly string[];
  /** Numbers in each context. */
  readonly contextLength: number;
  /** From an arm and a context to a point. */
  readonly features: FeatureMap;
  readonly #indexById: ReadonlyMap<string, number>;
  readonly #freeWith: readonly (readonly number[])[];

  /**
   * @param contextLength how many numbers are known about a task when its arm is chosen, 0 to 16
   * @throws RangeError when the declaration is not one: the message says why
   */
  constructor(tunable: Tunable, contextLength: number = 0) {
    const { taskType, arms, freeParameters = [] } = tunable;
    const where = `The arms of ${taskType}`;
    if (arms.length < ARMS_MIN || arms.length > ARMS_MAX) {
      throw new RangeError(`${where} must be ${ARMS_MIN} to ${ARMS_MAX}, not ${arms.length}.`);
    }
    if (
      !(
        Number.isInteger(contextLength) &&
        contextLength >= 0 &&
        contextLength <= CONTEXT_LENGTH_MAX
      )
    ) {
      throw new RangeError(
        `A context has 0 to ${CONTEXT_LENGTH_MAX} numbers, not ${contextLength}.`,
      );
    }
    const names = Object.keys(arms[0] ?? {}).sort();
    for (const arm of arms) {
      const own = Object.keys(arm).sort();
      if (own.join('\0') === names.join('\0')) continue;
      throw new RangeError(
        `${where} must have the same parameters: one has (${names.join(', ')}), another (${own.join(', ')}).`,
      );
    }
    this.armIds = arms.map(armIdOf);
    this.#indexById = new Map(this.armIds.map((armId, index) => [armId, index]));
    if (this.#indexById.size < arms.length) {
      const twice = this.armIds.find((armId, index) => this.#indexById.get(armId) !== index);
      throw new RangeError(`${where} must differ: ${twice ?? ''} is there twice.`);
    }
    const unknown = freeParameters.find((name) => !names.includes(name));
    if (unknown !== undefined) {
      throw new RangeError(`${where} have no parameter ${unknown} that could be free.`);
    }
    this.taskType = taskType;
    this.arms = arms.map((arm) => ({ ...arm }));
    this.contextLength = contextLength;
    this.features = new FeatureMap(arms, contextLength);
    this.#freeWith = freeGroups(arms, freeParameters);
  }

  /** Where an arm stands in {@link arms}; undefined for arms that were not declared. */
  indexOf(arm: Arm): number | undefined {
    return this.#indexById.get(armIdOf(arm));
  }

  /** The same by id. */
  indexOfId(armId: string): number | undefined {
    return this.#indexById.get(armId);
  }

  /** The other arms that are known when this one has been computed, see {@link Tunable.freeParameters}. */
  readonly freeWith = (armIndex: number): readonly number[] => this.#freeWith[armIndex] ?? [];
}

/** For each arm the others that differ from it in free parameters only. */
function freeGroups(arms: readonly Arm[], freeParameters: readonly string[]): number[][] {
  const groups = new Map<string, number[]>();
  const keys = arms.map((arm) =>
    armIdOf(
      Object.fromEntries(Object.entries(arm).filter(([name]) => !freeParameters.includes(name))),
    ),
  );
  for (const [index, key] of keys.entries()) groups.set(key, [...(groups.get(key) ?? []), index]);
  return keys.map((key, index) => (groups.get(key) ?? []).filter((other) => other !== index));
}

/** A word that needs no quotes cannot be taken for a number or a boolean, nor hide a `,` or `=`. */
function word(text: string): string {
  const isPlain = /^[A-Za-z_][\w.-]*$/.test(text) && text !== 'true' && text !== 'false';
  return isPlain ? text : JSON.stringify(text);
}

function valueText(value: Arm[string] | undefined): string {
  if (typeof value === 'string') return word(value);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new RangeError(`A parameter must be a finite number, not ${value}.`);
  }
  // String makes no difference between 0 and −0, which are equal.
  return String(value);
}

/** 53 bits over the UTF-16 units (two multiplicative hashes, as in cyrb53): not for secrets. */
function hashOf(text: string): string {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    low = Math.imul(low ^ unit, 2654435761);
    high = Math.imul(high ^ unit, 1597334677);
  }
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  const bits = 2 ** 32 * (high & 0x1fffff) + (low >>> 0);
  return bits.toString(16).padStart(14, '0');
}
