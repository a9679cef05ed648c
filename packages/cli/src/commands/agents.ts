/** `swarm agents`: who is connected, those in trouble first; and the three things to tell an agent. */
import type { AgentRow } from '@quic-swarm/protocol';
import { formatDuration } from '../command-line/duration.ts';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { usageError } from '../output/command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, tableLines } from '../output/table.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';

const ACTIONS = ['cordon', 'drain', 'resume'] as const;

/** The order of the table: what needs somebody's eye comes first. */
const STATES: readonly AgentRow['state'][] = ['lost', 'suspect', 'draining', 'cordoned', 'ready'];

/** The command. */
export const agentsCommand: Command = {
  async run(values, context) {
    const order = parseOrder(values);
    const options = await readSessionOptions(values, context);
    const { terminal, json, interruption } = context;
    return withSwarm(context, options, async (swarm) => {
      if (order !== undefined) {
        await interruption.orInterrupted(swarm.controlAgent(order.agentId, order.action));
      }
      const agents = unhealthyFirst(await interruption.orInterrupted(swarm.agents()));
      if (json) terminal.printJson(toJson({ agents }));
      else for (const line of agentLines(agents)) terminal.print(line);
      return EXIT.ok;
    });
  },
};

/** At most one of `--cordon ID`, `--drain ID`, `--resume ID`. */
export function parseOrder(
  values: Values,
): { agentId: string; action: (typeof ACTIONS)[number] } | undefined {
  const orders = ACTIONS.flatMap((action) => {
    const agentId = values.text(action);
    return agentId === undefined ? [] : [{ agentId, action }];
  });
  if (orders.length > 1) {
    throw usageError('--cordon, --drain and --resume exclude each other.', 'Give one.');
  }
  return orders[0];
}

/** Those in trouble come first. */
export function unhealthyFirst(agents: readonly AgentRow[]): AgentRow[] {
  return [...agents].sort(
    (a, b) =>
      STATES.indexOf(a.state) - STATES.indexOf(b.state) || a.agentId.localeCompare(b.agentId),
  );
}

/** The table for a person. */
export function agentLines(agents: readonly AgentRow[]): string[] {
  if (agents.length === 0) {
    return ['No agent is connected. Start one:  agent ADDR agent-1 pattern'];
  }
  const right = 'right' as const;
  return tableLines<AgentRow>(
    [
      { title: 'agent', text: (row) => row.agentId },
      { title: 'type', text: (row) => row.agentType },
      { title: 'state', text: (row) => row.state },
      { title: 'address', text: (row) => row.address },
      { title: 'slots', align: right, text: (row) => String(row.slots) },
      { title: 'running', align: right, text: (row) => String(row.running) },
      // Of tiny tasks an agent takes many ahead; `running` alone would look idle.
      { title: 'held', align: right, text: (row) => `${row.leases}/${row.credit}` },
      { title: 'done', align: right, text: (row) => String(row.work.succeeded) },
      {
        title: 'failed',
        align: right,
        text: (row) => String(row.work.failed + row.work.timedOut),
      },
      {
        title: 'compute p50',
        align: right,
        text: ({ work }) => (work.compute.p50Ms === 0 ? '-' : formatDuration(work.compute.p50Ms)),
      },
      { title: 'rtt', align: right, text: (row) => formatDuration(row.roundTripMs) },
      { title: 'heard', align: right, text: (row) => formatDuration(row.lastHeardMs) },
      { title: 'memory', align: right, text: (row) => formatBytes(row.memoryBytes) },
    ],
    agents,
  );
}
