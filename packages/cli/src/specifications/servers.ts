/** `coordinator` and `agent`: bins of their own and words of `swarm`. */
import { AGENT_TYPES } from '../command-line/names.ts';
import type { CommandSpecification } from '../command-line/specification.ts';
import { CLIENT_OPTIONS, SERVER_OPTIONS, TRUST_OPTIONS } from './shared.ts';

export const COORDINATOR: CommandSpecification = {
  name: 'coordinator',
  summary: 'Start a coordinator: agents and clients connect to it.',
  positionals: [
    { name: 'ADDR', describe: 'HOST:PORT to listen on; port 0 picks a free port', optional: true },
  ],
  options: {
    ...SERVER_OPTIONS,
    certificate: { describe: 'Server certificate (PEM file; default: a development certificate)' },
    'private-key': { describe: 'Its private key (PEM file)' },
    'client-ca': {
      describe: 'Require agents and clients to show a certificate signed by this authority',
    },
    'state-directory': {
      describe: 'Where the development certificate lives (default: the XDG state directory)',
    },
    data: {
      describe:
        'Folder for durable tasks and data sets: with it they survive this process (default: none)',
    },
    durable: {
      describe: 'Make tasks durable that do not say otherwise (needs --data)',
      isSwitch: true,
      default: false,
    },
    record: {
      describe:
        'Record everything that reaches the coordinator in FILE, for swarm replay (it grows)',
    },
    'max-pending': { describe: 'Tasks accepted and not finished at once' },
    'max-pending-mib': { describe: 'Their inputs together, in MiB' },
    'max-dataset-mib': { describe: 'All data sets together, in MiB' },
    'max-finished': { describe: 'Finished tasks that stay known' },
  },
  examples: [
    ['coordinator 127.0.0.1:5000', 'for this machine; no certificate needed'],
    ['coordinator 127.0.0.1:0 --json', 'a free port, printed as JSON'],
    ['coordinator 127.0.0.1:5000 --data ./swarm-data', 'with durable tasks'],
    [
      'coordinator 0.0.0.0:5000 --certificate server.crt --private-key server.key --client-ca ca.crt',
      'for others, with mutual TLS',
    ],
  ],
  load: async () => (await import('../commands/coordinator.ts')).coordinatorCommand,
};

const AGENT_COMMANDS: readonly CommandSpecification[] = [
  {
    name: 'cordon',
    summary: 'Give an agent no new tasks.',
    load: async () => (await import('../commands/agent-control.ts')).cordonCommand,
  },
  {
    name: 'drain',
    summary: 'Let an agent finish what it has, and leave.',
    load: async () => (await import('../commands/agent-control.ts')).drainCommand,
  },
  {
    name: 'resume',
    summary: 'Give an agent tasks again.',
    load: async () => (await import('../commands/agent-control.ts')).resumeCommand,
  },
].map((command) => ({
  ...command,
  positionals: [
    { name: 'ID', describe: 'The agent, as swarm agents lists it' },
    { name: 'ADDR', describe: 'Coordinator, HOST:PORT (or --address)', optional: true },
  ],
  options: CLIENT_OPTIONS,
}));

export const AGENT: CommandSpecification = {
  name: 'agent',
  summary:
    'Start an agent. TYPE: pattern, strategy, feature, trainer, reasoning, or compute for your own tasks.',
  positionals: [
    { name: 'ADDR', describe: 'The coordinator, HOST:PORT' },
    { name: 'ID', describe: 'A name of its own, for example agent-1' },
    {
      name: 'TYPE',
      describe: 'pattern, strategy, feature, trainer, reasoning or compute',
      words: AGENT_TYPES,
    },
  ],
  options: {
    ...SERVER_OPTIONS,
    ...TRUST_OPTIONS,
    'connect-timeout': { describe: 'How long to look for the coordinator (default: under 3 s)' },
    'give-up-after': { describe: 'End when the connection was lost for so long (default: never)' },
    handlers: {
      describe: "ES module that maps task names to functions: export default { 'my.task': f }",
    },
    threads: { describe: 'Worker threads (default: one per processor)' },
    slots: {
      describe: 'Tasks held at once; more than threads wait here (default: one per thread)',
    },
    label: { describe: 'KEY=VALUE, for tasks that ask for it; repeat for several' },
  },
  examples: [
    ['agent 127.0.0.1:5000 agent-1 pattern', 'finds patterns'],
    ['agent 127.0.0.1:5000 mine compute --handlers ./handlers.js', 'runs your own functions'],
    ['agent drain agent-1 127.0.0.1:5000', 'lets one that runs finish and leave'],
  ],
  commands: AGENT_COMMANDS,
  load: async () => (await import('../commands/agent.ts')).agentCommand,
};
