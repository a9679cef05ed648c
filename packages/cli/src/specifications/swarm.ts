/** `swarm` and its commands. */
import type { CommandSpecification } from '../command-line/specification.ts';
import { AGENT, COORDINATOR } from './servers.ts';
import { CLIENT_OPTIONS } from './shared.ts';
import { OUTCOME, REASONING } from './reasoning.ts';
import { RESEARCH } from './research.ts';
import { SUBMIT } from './submit.ts';

const ADDRESS = {
  name: 'ADDR',
  describe: 'Coordinator, HOST:PORT (or --address)',
  optional: true,
} as const;

const DEMO: CommandSpecification = {
  name: 'demo',
  summary: 'See it work: a coordinator, five agents, real prices, all five kinds of task.',
  options: {
    stay: {
      describe: 'Keep the swarm running until Ctrl-C (default: only in a terminal)',
      isSwitch: true,
    },
    threads: { describe: 'Worker threads per agent', default: '1' },
  },
  examples: [['swarm demo', '']],
  load: async () => (await import('../commands/demo.ts')).demoCommand,
};

const STATUS: CommandSpecification = {
  name: 'status',
  summary: 'What the coordinator does: connections, tasks, latencies, errors.',
  positionals: [ADDRESS],
  options: CLIENT_OPTIONS,
  load: async () => (await import('../commands/status.ts')).statusCommand,
};

const AGENTS: CommandSpecification = {
  name: 'agents',
  summary: 'The connected agents, those in trouble first.',
  positionals: [ADDRESS],
  options: {
    ...CLIENT_OPTIONS,
    cordon: { describe: 'Give this agent no new tasks' },
    drain: { describe: 'Let this agent finish and leave' },
    resume: { describe: 'Give this agent tasks again' },
  },
  load: async () => (await import('../commands/agents.ts')).agentsCommand,
};

const TASKS: CommandSpecification = {
  name: 'tasks',
  summary: 'Tasks that wait, run or ended, those in trouble first; why they wait.',
  positionals: [ADDRESS],
  options: {
    ...CLIENT_OPTIONS,
    state: { describe: 'Only these states: queued, running, failed, … (comma between two)' },
    limit: { describe: 'At most so many, newest first', default: '50' },
  },
  examples: [['swarm tasks --state queued', 'what waits, and why']],
  load: async () => (await import('../commands/tasks.ts')).tasksCommand,
};

const RESULT: CommandSpecification = {
  name: 'result',
  summary:
    'Print the result of a task that was submitted before; wait for it, as swarm submit does.',
  positionals: [
    {
      name: 'TASKID',
      describe:
        'As printed by swarm submit --no-wait and swarm tasks. An ended task is known for 10 minutes, ' +
        'a durable one until its result was fetched, 24 hours at most',
    },
  ],
  options: CLIENT_OPTIONS,
  examples: [
    ['swarm result 0192f0c1-2b3c-7d4e-8f50-112233445566', 'Ctrl-C ends the waiting, not the task'],
  ],
  load: async () => (await import('../commands/result.ts')).resultCommand,
};

const CANCEL: CommandSpecification = {
  name: 'cancel',
  summary: 'Cancel a task.',
  positionals: [{ name: 'TASKID', describe: 'As printed by swarm submit and swarm tasks' }],
  options: CLIENT_OPTIONS,
  load: async () => (await import('../commands/cancel.ts')).cancelCommand,
};

const TASK_IDS = {
  name: 'TASKID',
  describe: 'As listed by swarm deadletter ls',
  optional: true,
  repeats: true,
} as const;

const DEAD_LETTER: CommandSpecification = {
  name: 'deadletter',
  summary: 'Tasks that failed although they were tried as often as they may be.',
  commands: [
    {
      name: 'ls',
      summary: 'List them, newest first.',
      positionals: [ADDRESS],
      options: { ...CLIENT_OPTIONS, limit: { describe: 'At most so many', default: '50' } },
      load: async () => (await import('../commands/dead-letters.ts')).deadLettersListCommand,
    },
    {
      name: 'replay',
      summary: 'Submit them again, and print the ids of the new tasks.',
      positionals: [TASK_IDS],
      options: { ...CLIENT_OPTIONS, all: { describe: 'All of them', isSwitch: true } },
      examples: [['swarm deadletter replay --all', 'when what was wrong is repaired']],
      load: async () => (await import('../commands/dead-letters.ts')).deadLettersReplayCommand,
    },
    {
      name: 'drop',
      summary: 'Forget them and their inputs.',
      positionals: [TASK_IDS],
      options: { ...CLIENT_OPTIONS, all: { describe: 'All of them', isSwitch: true } },
      load: async () => (await import('../commands/dead-letters.ts')).deadLettersDropCommand,
    },
  ],
};

const BENCH: CommandSpecification = {
  name: 'bench',
  summary: 'Measure small tasks through a running swarm: latency one by one, then many in flight.',
  positionals: [ADDRESS],
  options: {
    ...CLIENT_OPTIONS,
    sequential: { describe: 'Tasks one after the other', default: '300' },
    tasks: { describe: 'Tasks with many in flight', default: '3000' },
    'in-flight': { describe: 'How many at once', default: '64' },
  },
  examples: [['swarm bench 127.0.0.1:5000 --json', '']],
  load: async () => (await import('../commands/bench.ts')).benchCommand,
};

const REPLAY: CommandSpecification = {
  name: 'replay',
  summary: 'Tell from a recording (coordinator --record FILE) what happened, and why.',
  positionals: [{ name: 'FILE', describe: 'The recording' }],
  options: {
    task: { describe: 'Only what is about this task' },
    until: { describe: 'Stop there: a time since the first event, e.g. 12.5s (default: the end)' },
    all: { describe: 'Also heartbeats and the like', isSwitch: true, default: false },
  },
  examples: [
    ['swarm replay run.rec --task 0192f0c1-2b3c-7d4e-8f50-112233445566', 'the story of a task'],
    ['swarm replay run.rec --until 12.5s', 'everything up to then, and how things were'],
  ],
  load: async () => (await import('../commands/replay.ts')).replayCommand,
};

const CERTS: CommandSpecification = {
  name: 'certs',
  summary: 'Certificates for a swarm over several machines.',
  commands: [
    {
      name: 'create',
      summary: 'Write an authority, a server and agent certificates into a folder.',
      positionals: [{ name: 'FOLDER', describe: 'Where to write them', optional: true }],
      options: {
        host: {
          describe: 'Name or address of the coordinator; repeat for several (default: localhost)',
        },
        agent: { describe: 'Id of an agent to certify; repeat for several' },
        days: { describe: 'Valid for so many days', default: '365' },
      },
      examples: [
        ['swarm certs create certs --host coordinator.example --agent agent-1 --agent agent-2', ''],
      ],
      load: async () => (await import('../commands/certs.ts')).certsCreateCommand,
    },
    {
      name: 'show',
      summary: 'Print the fingerprint of a certificate (default: the development certificate).',
      positionals: [{ name: 'FILE', describe: 'PEM file', optional: true }],
      options: {
        'state-directory': {
          describe: 'Where the development certificate lives (default: the XDG state directory)',
        },
      },
      load: async () => (await import('../commands/certs.ts')).certsShowCommand,
    },
  ],
};

const COMPLETION: CommandSpecification = {
  name: 'completion',
  summary: 'Print a completion script for bash, zsh or fish.',
  positionals: [
    {
      name: 'SHELL',
      describe: 'bash, zsh or fish',
      optional: true,
      words: ['bash', 'zsh', 'fish'],
    },
  ],
  examples: [
    ['swarm completion bash >> ~/.bashrc', ''],
    ['swarm completion fish > ~/.config/fish/completions/swarm.fish', ''],
  ],
  load: async () => (await import('../commands/completion.ts')).completionCommand,
};

export const SWARM: CommandSpecification = {
  name: 'swarm',
  summary: 'Compute-heavy research on time series, shared by typed agents over QUIC.',
  commands: [
    DEMO,
    COORDINATOR,
    AGENT,
    SUBMIT,
    STATUS,
    AGENTS,
    TASKS,
    RESULT,
    CANCEL,
    DEAD_LETTER,
    OUTCOME,
    REASONING,
    RESEARCH,
    BENCH,
    REPLAY,
    CERTS,
    COMPLETION,
  ],
  examples: [
    ['swarm demo', 'see it work'],
    ['swarm coordinator 127.0.0.1:5000', 'start one; agents and clients connect to it'],
    ['swarm agent 127.0.0.1:5000 agent-1 pattern', 'start an agent in another terminal'],
  ],
};
