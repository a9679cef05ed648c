/** What users declare as tunable, checked. */
import {
  CONTROL_FRAME_BYTES_MAX,
  LOSSES,
  TUNABLE_ARMS_MAX,
  encodeDocument,
  type Arm,
  type Tunable,
} from '@quic-swarm/protocol';
import { armKeyOf, armProblemOf } from '../core/arms.ts';
import type { TunableParameters } from '../task-handler.ts';
import { badOption } from './options.ts';

/** Task types with tunable parameters: as many as one TunableOffer may name. */
const TUNABLES_MAX = 64;

/** What an offer may have beside its arms: the frame's type, a name, the length of a list. */
const OFFER_OVERHEAD_BYTES = 64;

const HINT = "It looks like { arms: [{ window: 20 }, { window: 40 }], loss: 'squared' }.";

/** Checks what was declared for one task type. @throws BAD_OPTION */
export function resolveTunable(taskType: string, declared: unknown): Tunable {
  const name = `tunable of ${taskType}`;
  if (!isDeclaration(declared)) throw badOption(`The ${name} has no list of arms.`, HINT);
  const { arms, loss: named = 'squared', freeParameters = [] } = declared;
  const loss = LOSSES.find((known) => known === named);
  if (loss === undefined) {
    throw badOption(`The loss of the ${name} is ${named}.`, `Use ${LOSSES.join(', ')}.`);
  }
  if (arms.length < 2 || arms.length > TUNABLE_ARMS_MAX) {
    throw badOption(
      `The ${name} has ${arms.length} arms, but there must be 2 to ${TUNABLE_ARMS_MAX} to choose from.`,
      HINT,
    );
  }
  const seen = new Map<string, number>();
  for (const [index, arm] of arms.entries()) {
    const problem = armProblemOf(arm);
    if (problem !== undefined) throw badOption(`Arm ${index} of the ${name} ${problem}.`, HINT);
    if (JSON.stringify(namesOf(arm)) !== JSON.stringify(namesOf(arms[0] ?? {}))) {
      throw badOption(
        `Arm ${index} of the ${name} has the parameters ${namesOf(arm).join(', ')}, but the first has ${namesOf(arms[0] ?? {}).join(', ')}.`,
        'Give every arm a value for each parameter.',
      );
    }
    const key = armKeyOf(arm);
    const same = seen.get(key);
    if (same !== undefined) {
      throw badOption(
        `Arms ${same} and ${index} of the ${name} are the same.`,
        'Leave one of them out.',
      );
    }
    seen.set(key, index);
  }
  const stranger = freeParameters.find((parameter) => !namesOf(arms[0] ?? {}).includes(parameter));
  if (stranger !== undefined) {
    throw badOption(`The ${name} has no parameter ${stranger} that could be free.`, HINT);
  }
  const copies = arms.map((arm) => ({ ...arm }));
  const free = freeParameters.length === 0 ? {} : { freeParameters: [...freeParameters] };
  return { taskType, arms: copies, ...free, loss };
}

/** Checks that all of them fit into one message. @throws BAD_OPTION */
export function requireOffer(tunables: readonly Tunable[]): void {
  if (tunables.length > TUNABLES_MAX) {
    throw badOption(
      `${tunables.length} task types have tunable parameters.`,
      `An agent may name ${TUNABLES_MAX} at most; start another one for the rest.`,
    );
  }
  const bytes = encodeDocument(tunables).length + OFFER_OVERHEAD_BYTES;
  if (bytes <= CONTROL_FRAME_BYTES_MAX) return;
  throw badOption(
    `The tunable parameters of all handlers have ${bytes} bytes, but ${CONTROL_FRAME_BYTES_MAX} at most can be told.`,
    'Give them shorter names and values, or fewer arms.',
  );
}

/** Files and programs without types declare what they like. */
function isDeclaration(declared: unknown): declared is TunableParameters {
  if (typeof declared !== 'object' || declared === null) return false;
  if ('freeParameters' in declared && !Array.isArray(declared.freeParameters)) return false;
  return 'arms' in declared && Array.isArray(declared.arms);
}

function namesOf(arm: Readonly<Arm>): string[] {
  return Object.keys(arm).sort();
}
