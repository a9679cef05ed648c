/** `coordinator ADDR`: starts one and keeps it until a signal; the first signal drains, the second ends at once. */
import type {
  CoordinatorNotice,
  CoordinatorOptions as StartOptions,
  QuicSwarmCoordinator,
} from '@quic-swarm/coordinator';
import type { CompressionMode } from '@quic-swarm/protocol';
import type { CoordinatorSecurity } from '@quic-swarm/transport';
import type { Logger } from 'pino';
import type { CommandContext } from '../command-line/context.ts';
import { formatDuration } from '../command-line/duration.ts';
import { COMPRESSION_MODES } from '../command-line/names.ts';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { CommandError } from '../output/command-error.ts';
import { EXIT, type ExitCode } from '../output/exit-codes.ts';
import { reportedErrorOf } from '../output/failure-report.ts';
import { toJson } from '../output/json.ts';
import { createLogger } from '../output/logger.ts';
import { readKeyPair, readPem } from '../session/trust.ts';
import { DEFAULT_ADDRESS } from '../specifications/shared.ts';

const MEBIBYTE = 1024 * 1024;

/** What the command line says, files aside. */
export interface CoordinatorOptions {
  readonly address: string;
  readonly graceMs: number;
  readonly compression: CompressionMode;
  readonly data: string | undefined;
  readonly record: string | undefined;
  readonly durableByDefault: boolean;
  readonly decisions: {
    readonly pendingTasksMax?: number;
    readonly pendingBytesMax?: number;
    readonly datasetsBytesMax?: number;
    readonly finishedTasksMax?: number;
  };
}

/** Reads the options. @throws BAD_OPTION */
export function parseCoordinatorOptions(values: Values): CoordinatorOptions {
  const pendingTasksMax = values.integer('max-pending', { min: 1 });
  const pendingMebibytes = values.integer('max-pending-mib', { min: 1, max: 1_000_000 });
  const datasetMebibytes = values.integer('max-dataset-mib', { min: 1, max: 1_000_000 });
  const finishedTasksMax = values.integer('max-finished', { min: 0 });
  return {
    address: values.text('ADDR') ?? DEFAULT_ADDRESS,
    graceMs: values.durationMs('grace') ?? 10_000,
    compression: values.choice('compression', COMPRESSION_MODES) ?? 'auto',
    data: values.text('data'),
    record: values.text('record'),
    durableByDefault: values.isOn('durable'),
    decisions: {
      ...(pendingTasksMax === undefined ? {} : { pendingTasksMax }),
      ...(pendingMebibytes === undefined ? {} : { pendingBytesMax: pendingMebibytes * MEBIBYTE }),
      ...(datasetMebibytes === undefined ? {} : { datasetsBytesMax: datasetMebibytes * MEBIBYTE }),
      ...(finishedTasksMax === undefined ? {} : { finishedTasksMax }),
    },
  };
}

/** The command. */
export const coordinatorCommand: Command = {
  async run(values, context) {
    const { address, graceMs, compression, data, record, durableByDefault, decisions } =
      parseCoordinatorOptions(values);
    const logger = createLogger(context.terminal, values.text('log-level'));
    const security = await readSecurity(values);
    const starting = started(address, {
      security,
      compression,
      ...(data === undefined ? {} : { data }),
      ...(record === undefined ? {} : { record }),
      durableByDefault,
      decisions,
      onNotice: (notice) => {
        logNotice(logger, notice);
      },
    });
    // What earlier lives have left may be long to read; nothing of it is lost when that is broken off.
    const coordinator = await context.interruption.orInterrupted(starting);
    await announce(context, coordinator, security, logger);
    await context.interruption.whenInterrupted;
    return drained(context, coordinator, { graceMs, logger });
  },
};

async function readSecurity(values: Values): Promise<CoordinatorSecurity> {
  const clientAuthority = await readPem(values, 'client-ca');
  const stateDirectory = values.text('state-directory');
  return {
    ...(await readKeyPair(values)),
    ...(clientAuthority === undefined ? {} : { clientAuthority }),
    ...(stateDirectory === undefined ? {} : { stateDirectory }),
  };
}

async function started(
  address: string,
  options: Omit<StartOptions, 'address'>,
): Promise<QuicSwarmCoordinator> {
  // Loaded here and not above: a mistyped option is answered without it.
  const { QuicSwarmCoordinator } = await import('@quic-swarm/coordinator');
  try {
    return await QuicSwarmCoordinator.start({ address, ...options });
  } catch (error) {
    const { type, message } = reportedErrorOf(error);
    if (type !== 'ADDRESS_IN_USE') throw error;
    const host = address.slice(0, address.lastIndexOf(':'));
    throw new CommandError('ADDRESS_IN_USE', message, {
      cause: error,
      hint: `Take any free port:  coordinator ${host}:0\nOr use the one that runs there:  swarm status ${address}`,
    });
  }
}

async function announce(
  { terminal, json }: CommandContext,
  coordinator: QuicSwarmCoordinator,
  security: CoordinatorSecurity,
  logger: Logger,
): Promise<void> {
  const { formatAddress } = await import('@quic-swarm/transport');
  const address = formatAddress(coordinator.address);
  const fingerprint = coordinator.fingerprint ?? '';
  if (json) {
    terminal.printJson(toJson({ event: 'ready', address, fingerprint }));
  } else {
    const startMs = formatDuration(performance.now());
    terminal.print(`${terminal.paint('green', 'ready')}  quic://${address}  (${startMs})`);
    terminal.print(`  certificate  ${fingerprint}`);
    terminal.print(`  add an agent:  agent ${address} agent-1 pattern`);
  }
  if (security.certificate !== undefined) return;
  const { host } = coordinator.address;
  const isLoopback = host === '::1' || host.startsWith('127.');
  if (isLoopback) {
    logger.info('DEVELOPMENT: self-signed certificate; this user on this machine trusts it');
    return;
  }
  logger.warn(
    `DEVELOPMENT certificate on ${address}, an address that other machines reach: whoever reaches it may submit tasks. ` +
      'Use --certificate, --private-key and --client-ca (swarm certs create).',
  );
}

async function drained(
  { terminal, json, interruption }: CommandContext,
  coordinator: QuicSwarmCoordinator,
  { graceMs, logger }: { graceMs: number; logger: Logger },
): Promise<ExitCode> {
  logger.info({ graceMs }, 'draining; a second signal ends at once');
  await coordinator.drain({ graceMs });
  if (json) terminal.printJson(toJson({ event: 'stopped' }));
  logger.info('stopped');
  // A server that was told to end and ended in good order has done its work.
  return interruption.received === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
}

/** What an operator wants to see: who comes and goes, and what went wrong. Never one line per task. */
function logNotice(logger: Logger, notice: CoordinatorNotice): void {
  switch (notice.type) {
    case 'AgentChanged': {
      const { agentId, agentType, address, change, reason } = notice;
      const isTrouble = change === 'lost' || change === 'suspect';
      logger[isTrouble ? 'warn' : 'info']({ agentType, address, reason }, `${agentId} ${change}`);
      return;
    }
    case 'ClientChanged':
      logger.debug({ address: notice.address }, `client ${notice.clientName} ${notice.change}`);
      return;
    case 'ProtocolError':
      logger.warn(
        { address: notice.address, type: notice.error.type },
        `closed a connection: ${notice.error.message}`,
      );
      return;
    case 'Refused':
      logger.info({ type: notice.failure.type }, `refused: ${notice.failure.message}`);
      return;
    case 'StaleCompletionDropped':
      logger.info('dropped the late answer of an attempt that was given up');
      return;
    case 'Restored': {
      const { pendingTasks, finishedTasks, damagedDatasets, damagedJournal, tookMs } = notice;
      logger.info(
        `data folder: ${pendingTasks} tasks go on, ${finishedTasks} are finished (${formatDuration(tookMs)})`,
      );
      for (const message of damagedJournal) logger.warn(message);
      for (const datasetId of damagedDatasets) logger.warn(`data set ${datasetId} is damaged`);
      return;
    }
    case 'RecordingFailed':
      logger.error({ type: notice.error.type }, notice.error.message);
      return;
    case 'JournalChanged':
      if (notice.failure === undefined) logger.info('the data folder can be written again');
      else logger.error({ type: notice.failure.type }, `data folder: ${notice.failure.message}`);
      return;
    case 'ArmSuggested': {
      const { taskType, fromArmId, toArmId, canaryPercent, isRollback, explanation } = notice;
      const what = isRollback ? 'rolled back' : `on ${canaryPercent} % of the tasks`;
      logger.info(
        { taskType, from: fromArmId, to: toArmId },
        `learnt: ${taskType} uses ${toArmId} ${what}. ${explanation}`,
      );
      return;
    }
    case 'TaskAccepted':
    case 'AttemptEnded':
    case 'TaskEnded':
      logger.trace(notice.type);
  }
}
