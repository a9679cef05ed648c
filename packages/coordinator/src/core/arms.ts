/** Which arm a task is computed with: the parameters of its handler that are tuned. */
import type { Arm } from '@quic-swarm/protocol';
import type { CoreState } from './state.ts';
import type { Task } from './task.ts';

/**
 * The arm of a task that is learnt from, chosen when it is first given away: an attempt that is repeated uses the same.
 * Undefined where nothing is learnt, or no agent has said what there is to choose from.
 */
export function armOf(core: CoreState, { learning, needs }: Task): Arm | undefined {
  if (learning === undefined) return undefined;
  learning.choice ??= core.bank.choose(needs.taskType, learning.context, () => core.random.next());
  return learning.choice?.arm;
}
