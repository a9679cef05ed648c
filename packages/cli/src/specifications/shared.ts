/** Options that several commands share. */
import { COMPRESSION_MODES } from '../command-line/names.ts';
import type { OptionSpecification } from '../command-line/specification.ts';

type Options = Readonly<Record<string, OptionSpecification>>;

/** Whether what is long travels compressed. */
export const COMPRESSION_OPTION: Options = {
  compression: {
    describe: 'Compress over 1 KiB: auto (when sooner so), always or never',
    default: 'auto',
    words: COMPRESSION_MODES,
  },
};

/** Where the coordinator is when nobody says. */
export const DEFAULT_ADDRESS: string = '127.0.0.1:5000';

/** How the coordinator is recognised, and what this side shows. */
export const TRUST_OPTIONS: Options = {
  fingerprint: {
    describe: 'Trust the coordinator with this certificate: sha256:… as it prints at its start',
  },
  ca: { describe: 'Trust coordinators whose certificate this authority signed (PEM file)' },
  certificate: { describe: 'Own certificate for mutual TLS (PEM file)' },
  'private-key': { describe: 'Private key of the own certificate (PEM file)' },
  'state-directory': {
    describe: 'Where development certificates live (default: the XDG state directory)',
  },
};

/** Every command that talks to a coordinator as a client. */
export const CLIENT_OPTIONS: Options = {
  address: { describe: `Coordinator, HOST:PORT (env SWARM_ADDRESS; else ${DEFAULT_ADDRESS})` },
  ...TRUST_OPTIONS,
  'connect-timeout': { describe: 'How long to look for the coordinator (default: under 3 s)' },
  ...COMPRESSION_OPTION,
};

/** Every command that submits one task. */
export const SUBMIT_OPTIONS: Options = {
  ...CLIENT_OPTIONS,
  wait: {
    describe: 'Wait (--no-wait prints the id, for swarm result)',
    isSwitch: true,
    default: true,
  },
  timeout: { describe: 'End the task when it is not done after this time, e.g. 30s' },
  priority: { describe: '1 (first) to 5 (last)', default: '3' },
  label: { describe: 'Only agents with this label, KEY=VALUE; repeat for several' },
  durable: {
    describe: 'Survive a restart of the coordinator (default: as that says)',
    isSwitch: true,
  },
  after: { describe: 'Only when this task has succeeded, TASKID; repeat for several' },
  'not-before': { describe: 'Not before this time, e.g. 2026-01-31T18:00Z' },
  'fairness-key': { describe: 'Tasks with different keys take turns' },
  hedge: { describe: 'Also on a second agent when it takes too long', isSwitch: true },
  'idempotency-key': { describe: 'The same key again gets the same task and its result' },
};

/** Tasks whose parameters may be learnt. */
export const LEARN_OPTIONS: Options = {
  learn: {
    describe:
      'Tune it by what was learnt; swarm outcome then tells how it turned out. ' +
      'With it: --context 0.1,0.2 --series-id NAME --step N --no-shadow',
    isSwitch: true,
  },
  context: { describe: 'Numbers that are known now, at most 16', isHidden: true },
  'series-id': { describe: 'The series', isHidden: true },
  step: { describe: 'The position in the series', isHidden: true },
  shadow: { describe: 'Idle agents may try other parameters', isSwitch: true, isHidden: true },
};

/** Servers: coordinator and agent. */
export const SERVER_OPTIONS: Options = {
  grace: { describe: 'Time to finish after the first Ctrl-C or SIGTERM', default: '10s' },
  'log-level': {
    describe: 'trace, debug, info, warn, error or silent (to stderr)',
    default: 'info',
  },
  ...COMPRESSION_OPTION,
};
