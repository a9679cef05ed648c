/** `swarm outcome` and `swarm reasoning …`: what the coordinator learns from, and what it has learnt. */
import { AGENT_TYPE_OF_TASK } from '../command-line/names.ts';
import type {
  CommandSpecification,
  PositionalSpecification,
} from '../command-line/specification.ts';
import { CLIENT_OPTIONS } from './shared.ts';

const TYPE: PositionalSpecification = {
  name: 'TYPE',
  describe: 'Task type, as swarm reasoning ls lists it',
  words: Object.keys(AGENT_TYPE_OF_TASK),
};

const ANY_TYPE: PositionalSpecification = { ...TYPE, optional: true };

export const OUTCOME: CommandSpecification = {
  name: 'outcome',
  summary: 'Tell how a task turned out that was submitted with --learn.',
  positionals: [{ name: 'TASKID', describe: 'As printed by swarm submit and swarm tasks' }],
  options: {
    ...CLIENT_OPTIONS,
    value: { describe: 'What was forecast, as it came' },
    loss: { describe: 'Or how wrong the task was: 0 or more, lower is better' },
    utility: { describe: 'Or how good it was: 0 to 1, higher is better' },
    step: { describe: "Position in the series at which it became known (default: the task's)" },
  },
  examples: [['swarm outcome 0192f0c1-2b3c-7d4e-8f50-112233445566 --value -4.52 --step 1065', '']],
  load: async () => (await import('../commands/outcome.ts')).outcomeCommand,
};

export const REASONING: CommandSpecification = {
  name: 'reasoning',
  summary: 'What the coordinator has learnt from outcomes: which parameters work.',
  commands: [
    {
      name: 'ls',
      summary: 'The task types about which something is learnt.',
      positionals: [
        { name: 'ADDR', describe: 'Coordinator, HOST:PORT (or --address)', optional: true },
      ],
      options: CLIENT_OPTIONS,
      load: async () => (await import('../commands/reasoning.ts')).reasoningListCommand,
    },
    {
      name: 'show',
      summary: 'The parameters of one task type, the best first, with the evidence.',
      positionals: [TYPE],
      options: CLIENT_OPTIONS,
      examples: [['swarm reasoning show VolatilityForecast', '']],
      load: async () => (await import('../commands/reasoning.ts')).reasoningShowCommand,
    },
    {
      name: 'explain',
      summary: 'Why a task was given its parameters, or why a task type has those in use.',
      positionals: [{ ...TYPE, name: 'WHAT', describe: 'A task type, or the id of a task' }],
      options: CLIENT_OPTIONS,
      load: async () => (await import('../commands/reasoning.ts')).reasoningExplainCommand,
    },
    {
      name: 'items',
      summary: 'What was learnt in words: what works, what to avoid, what is open.',
      positionals: [ANY_TYPE],
      options: CLIENT_OPTIONS,
      load: async () => (await import('../commands/reasoning.ts')).reasoningItemsCommand,
    },
    {
      name: 'agents',
      summary: 'How well each agent has done, and how well it knows what it does not know.',
      positionals: [ANY_TYPE],
      options: CLIENT_OPTIONS,
      load: async () => (await import('../commands/reasoning.ts')).reasoningAgentsCommand,
    },
    {
      name: 'export',
      summary: 'Write all that was learnt into a file.',
      positionals: [{ name: 'FILE', describe: 'Where to write it' }],
      options: CLIENT_OPTIONS,
      load: async () => (await import('../commands/reasoning-files.ts')).reasoningExportCommand,
    },
    {
      name: 'import',
      summary: 'Add what another coordinator has learnt.',
      positionals: [{ name: 'FILE', describe: 'Written by swarm reasoning export' }],
      options: CLIENT_OPTIONS,
      load: async () => (await import('../commands/reasoning-files.ts')).reasoningImportCommand,
    },
    {
      name: 'reset',
      summary: 'Forget what was learnt, of one task type or of all.',
      positionals: [ANY_TYPE],
      options: { ...CLIENT_OPTIONS, yes: { describe: 'Really', isSwitch: true } },
      examples: [['swarm reasoning reset VolatilityForecast --yes', '']],
      load: async () => (await import('../commands/reasoning.ts')).reasoningResetCommand,
    },
  ],
};
