/** `agent ADDR ID TYPE`: joins a coordinator and computes until a signal; the first drains, the second ends at once. */
import type { ConnectOptions, QuicSwarmAgent } from '@quic-swarm/agent';
import type { AgentType, CompressionMode } from '@quic-swarm/protocol';
import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import type { CommandContext } from '../command-line/context.ts';
import { formatDuration } from '../command-line/duration.ts';
import { AGENT_ID_PATTERN, AGENT_TYPES, COMPRESSION_MODES } from '../command-line/names.ts';
import type { Command } from '../command-line/specification.ts';
import { suggest } from '../command-line/suggestion.ts';
import type { Values } from '../command-line/values.ts';
import { readHandlerFile, type FileHandler } from '../handlers/handler-file.ts';
import { CommandError, usageError } from '../output/command-error.ts';
import { EXIT, type ExitCode } from '../output/exit-codes.ts';
import { reportedErrorOf } from '../output/failure-report.ts';
import { toJson } from '../output/json.ts';
import { createLogger } from '../output/logger.ts';
import {
  defaultConnectTimeoutMs,
  explainedConnectError,
  readConnectTimeout,
} from '../session/client-session.ts';
import { readLabels } from '../session/labels.ts';
import { readTrustOptions, type TrustOptions } from '../session/trust.ts';

type AgentEvent = Parameters<NonNullable<ConnectOptions['onEvent']>>[0];

/** What the command line says, files aside. */
export interface AgentOptions {
  readonly address: string;
  readonly id: string;
  readonly type: AgentType;
  readonly handlersPath: string | undefined;
  readonly threads: number;
  readonly slots: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly graceMs: number;
  readonly connectTimeoutMs: number | undefined;
  readonly giveUpAfterMs: number | undefined;
  readonly compression: CompressionMode;
}

/** Reads the options. @throws BAD_OPTION */
export function parseAgentOptions(values: Values): AgentOptions {
  const id = values.requiredText('ID', 'agent 127.0.0.1:5000 agent-1 pattern');
  if (!AGENT_ID_PATTERN.test(id)) {
    throw usageError(
      `"${id}" is not an agent id.`,
      'Letters, digits, points, dashes and underscores; 64 at most.',
    );
  }
  const typeText = values.requiredText('TYPE', 'agent 127.0.0.1:5000 agent-1 pattern');
  const type = AGENT_TYPES.find((candidate) => candidate === typeText);
  if (type === undefined) {
    throw usageError(`"${typeText}" is not an agent type.`, suggest(typeText, AGENT_TYPES));
  }
  const handlersPath = values.text('handlers');
  if (type === 'compute' && handlersPath === undefined) {
    throw usageError(
      'A compute agent needs --handlers FILE: it has no task types of its own.',
      "The file is an ES module:  export default { 'my.task': (input, context) => … }",
    );
  }
  const max = 1024;
  return {
    address: values.requiredText('ADDR', 'agent 127.0.0.1:5000 agent-1 pattern'),
    id,
    type,
    handlersPath,
    threads: values.integer('threads', { min: 1, max }) ?? availableParallelism(),
    slots: values.integer('slots', { min: 1, max }),
    labels: readLabels(values),
    graceMs: values.durationMs('grace') ?? 10_000,
    connectTimeoutMs: readConnectTimeout(values),
    giveUpAfterMs: values.durationMs('give-up-after'),
    compression: values.choice('compression', COMPRESSION_MODES) ?? 'auto',
  };
}

/** The command. */
export const agentCommand: Command = {
  async run(values, context) {
    const options = parseAgentOptions(values);
    const logger = createLogger(context.terminal, values.text('log-level'));
    const trust = await readTrustOptions(values);
    const { handlersPath } = options;
    const fileHandlers = handlersPath === undefined ? [] : await readHandlerFile(handlersPath);
    let wasConnected = false;
    const agent = await context.interruption.orInterrupted(
      connected({ ...options, trust, fileHandlers }, (event) => {
        wasConnected ||= event.type === 'connected';
        // Before that, the error that follows says it better.
        if (wasConnected) announce(context, options, event, logger);
      }),
    );
    const running = agent.run();
    const first = await Promise.race([running, context.interruption.whenInterrupted]);
    if (first === 'interrupted') {
      logger.info({ graceMs: options.graceMs }, 'draining; a second signal ends at once');
      await agent.drain({ deadlineMs: options.graceMs, reason: 'its process was asked to end' });
    }
    return stopped(context);
  },
};

async function connected(
  options: AgentOptions & {
    readonly trust: TrustOptions;
    readonly fileHandlers: readonly FileHandler[];
  },
  onEvent: (event: AgentEvent) => void,
): Promise<QuicSwarmAgent> {
  const { address, id, type, threads, slots, labels, trust, connectTimeoutMs } = options;
  const { giveUpAfterMs, compression, fileHandlers } = options;
  // Loaded here and not above: a mistyped word is answered without it.
  const { QuicSwarmAgent } = await import('@quic-swarm/agent');
  try {
    return await QuicSwarmAgent.connect({
      address,
      id,
      type,
      threads,
      labels,
      security: trust,
      connectTimeoutMs: connectTimeoutMs ?? defaultConnectTimeoutMs(),
      compression,
      handlers: Object.fromEntries(fileHandlers.map(({ taskType, module }) => [taskType, module])),
      tunables: Object.fromEntries(
        fileHandlers.flatMap(({ taskType, tunable }) =>
          tunable === undefined ? [] : [[taskType, tunable]],
        ),
      ),
      onEvent,
      ...(slots === undefined ? {} : { slots }),
      ...(giveUpAfterMs === undefined ? {} : { giveUpAfterMs }),
    });
  } catch (error) {
    const { type: errorType, message } = reportedErrorOf(error);
    if (errorType !== 'DUPLICATE_AGENT') {
      throw explainedConnectError(error, address);
    }
    throw new CommandError('DUPLICATE_AGENT', message, {
      cause: error,
      hint: `Take another id:  agent ${address} ${id}-2 ${type}\nWho is there:  swarm agents ${address}`,
    });
  }
}

function announce(
  { terminal, json }: CommandContext,
  { address, id, type, threads }: AgentOptions,
  event: AgentEvent,
  logger: Logger,
): void {
  switch (event.type) {
    case 'connected': {
      const { roundTripMs } = event;
      if (json) {
        const agent = { agentId: id, agentType: type, address, threads, roundTripMs };
        terminal.printJson(toJson({ event: 'connected', ...agent }));
      } else {
        const text = `${id} (${type})  ${address}  rtt ${formatDuration(roundTripMs)}  ${threads} threads`;
        terminal.print(`${terminal.paint('green', 'connected')}  ${text}`);
      }
      return;
    }
    case 'disconnected': {
      const { reason, willRetryInMs } = event;
      logger.warn({ type: reason.type, willRetryInMs }, `disconnected: ${reason.message}`);
      return;
    }
    case 'taskFinished': {
      const { taskId, taskType, outcome, failure, computeMs } = event;
      const isTrouble = outcome === 'failed';
      const fields = {
        taskId,
        computeMs,
        ...(failure === undefined ? {} : { why: failure.message }),
      };
      logger[isTrouble ? 'info' : 'debug'](fields, `${taskType} ${outcome}`);
      return;
    }
    case 'taskStarted':
      logger.trace({ taskId: event.taskId }, `${event.taskType} started`);
      return;
    case 'adapted': {
      const { taskType, suggestionId, from, to, canaryPercent } = event;
      logger.info(
        { suggestionId, from, to },
        `${taskType}: ${canaryPercent} % use other parameters`,
      );
      return;
    }
    case 'draining':
      logger.info(`draining: ${event.reason}`);
      return;
    case 'drained':
      logger.info('drained');
  }
}

/** Interrupted by SIGINT it says so; told to end, by SIGTERM or by the coordinator, it has done its work. */
function stopped({ terminal, json, interruption }: CommandContext): ExitCode {
  if (json) terminal.printJson(toJson({ event: 'stopped' }));
  return interruption.received === 'SIGINT' ? EXIT.interrupted : EXIT.ok;
}
