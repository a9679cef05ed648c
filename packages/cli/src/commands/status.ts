/** `swarm status`: the coordinator as a whole, its task types and its agents. */
import type { StatusSummary } from '@quic-swarm/protocol';
import { formatDuration } from '../command-line/duration.ts';
import type { Command } from '../command-line/specification.ts';
import { EXIT } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';
import { formatBytes, tableLines } from '../output/table.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';
import { agentLines, unhealthyFirst } from './agents.ts';

/** The command. */
export const statusCommand: Command = {
  async run(values, context) {
    const options = await readSessionOptions(values, context);
    const { terminal, json, interruption } = context;
    const [status, rows] = await withSwarm(context, options, (swarm) =>
      interruption.orInterrupted(Promise.all([swarm.status(), swarm.agents()])),
    );
    const agents = unhealthyFirst(rows);
    if (json) {
      terminal.printJson(toJson({ ...status, agents }));
      return EXIT.ok;
    }
    for (const line of troubleLines(status)) terminal.print(terminal.paint('red', line));
    for (const line of statusLines(status)) terminal.print(line);
    if (agents.length > 0) for (const line of ['', ...agentLines(agents)]) terminal.print(line);
    return EXIT.ok;
  },
};

/** What cannot wait; nothing when all is well. Printed above everything else. */
export function troubleLines({ journal }: StatusSummary): string[] {
  if (journal?.failure === undefined) return [];
  const { type, message, hint } = journal.failure;
  return [
    `NOTHING CAN BE WRITTEN: durable tasks are refused, and results of those that there are wait.`,
    `  ${type}: ${message}`,
    ...(hint === undefined ? [] : [`  ${hint}`]),
    '',
  ];
}

/** The summary for a person. */
export function statusLines(status: StatusSummary): string[] {
  const { connections, messages, bytes, tasks, datasets, experiences } = status;
  return [
    `coordinator   ${status.address}, ${status.software}, protocol ${status.protocol}, up ${formatDuration(status.uptimeMs)}`,
    `process       ${formatBytes(status.memoryBytes)} of memory, event loop ${formatDuration(status.eventLoopLagMs)} late`,
    `connections   ${connections.agents} agents, ${connections.clients} clients, ${connections.acceptedInAll} accepted in all`,
    `messages      ${messages.received} received (${formatBytes(bytes.received)}), ${messages.sent} sent (${formatBytes(bytes.sent)})`,
    `data sets     ${datasets.count} (${formatBytes(datasets.bytes)})`,
    `experiences   ${experiences.recorded} recorded, ${experiences.resolved} resolved`,
    `tasks         ${tasks.submitted} submitted${countsText(tasks.byState)}`,
    ...(hasCounts(tasks.byPendingReason)
      ? [
          `  waiting for ${countsText(tasks.byPendingReason).slice(2)}, the oldest for ${formatDuration(tasks.oldestQueuedMs)} (swarm tasks --state queued)`,
        ]
      : []),
    ...(tasks.deadLetters > 0 ? [`dead letters  ${tasks.deadLetters} (swarm deadletter ls)`] : []),
    ...journalLines(status),
    ...(hasCounts(status.errorsByType)
      ? [`errors        ${countsText(status.errorsByType).slice(2)}`]
      : []),
    ...taskTypeLines(status),
  ];
}

/** Of a coordinator with a data folder. */
function journalLines({ journal }: StatusSummary): string[] {
  if (journal === undefined) return [];
  const { recordsSinceSnapshot, unclaimed } = journal;
  const waiting = unclaimed === 0 ? '' : `, ${unclaimed} results that nobody has fetched`;
  return [`journal       ${recordsSinceSnapshot} records since the last snapshot${waiting}`];
}

function taskTypeLines({ byTaskType }: StatusSummary): string[] {
  const rows = Object.entries(byTaskType);
  if (rows.length === 0) return [];
  type Row = (typeof rows)[number];
  const right = 'right' as const;
  return [
    '',
    ...tableLines<Row>(
      [
        { title: 'task type', text: ([name]) => name },
        { title: 'succeeded', align: right, text: ([, work]) => String(work.succeeded) },
        { title: 'failed', align: right, text: ([, work]) => String(work.failed + work.timedOut) },
        { title: 'retried', align: right, text: ([, work]) => String(work.retried) },
        { title: 'success', align: right, text: ([, { successRate }]) => percentText(successRate) },
        { title: 'compute p50', align: right, text: ([, { compute }]) => duration(compute.p50Ms) },
        { title: 'total p50', align: right, text: ([, { total }]) => duration(total.p50Ms) },
        { title: 'total p99', align: right, text: ([, { total }]) => duration(total.p99Ms) },
      ],
      rows,
    ),
  ];
}

/** A dash where nothing was measured. */
function duration(milliseconds: number): string {
  return milliseconds === 0 ? '-' : formatDuration(milliseconds);
}

function percentText(rate: number | undefined): string {
  return rate === undefined ? '-' : `${(rate * 100).toFixed(rate === 1 ? 0 : 1)} %`;
}

function hasCounts(counts: Readonly<Record<string, number>>): boolean {
  return Object.values(counts).some((count) => count > 0);
}

function countsText(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  return entries.map(([name, count]) => `, ${count} ${name}`).join('');
}
