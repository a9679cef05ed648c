/** All cases, in the order in which they run. */
import { agentClose } from './cases/agent-close.ts';
import { agentFreeze } from './cases/agent-freeze.ts';
import { agentKill } from './cases/agent-kill.ts';
import { badNetwork } from './cases/bad-network.ts';
import { blackhole } from './cases/blackhole.ts';
import { coordinatorKill } from './cases/coordinator-kill.ts';
import { migration } from './cases/migration.ts';
import { mixedFaults } from './cases/mixed-faults.ts';
import { poisonTask } from './cases/poison-task.ts';
import type { ChaosCase } from './support/chaos-case.ts';

export const CASES: readonly ChaosCase[] = [
  agentKill,
  agentClose,
  agentFreeze,
  poisonTask,
  badNetwork,
  blackhole,
  migration,
  coordinatorKill,
  mixedFaults,
];
