/** A run as people read it. */
import type { Environment } from './environment.ts';
import type { Bench, Metric, Workload } from './model.ts';
import { CPU_METRIC, type AbsentRow, type MeasuredRow, type Row } from './results.ts';
import type { TargetOutcome } from './targets.ts';

/** What `--json` prints, and what the tables are made of. */
export interface Report {
  readonly bench: string;
  readonly environment: Environment;
  readonly rows: readonly Row[];
  readonly targets: readonly TargetOutcome[];
}

/** The tables of a run: a median, and in brackets the lowest and highest round. */
export function textOf(report: Report, bench: Bench): string {
  const measured = report.rows.filter((row) => row.outcome === 'measured');
  const absent = report.rows.filter((row) => row.outcome !== 'measured');
  const parts = [
    environmentText(bench, report.environment),
    ...bench.plans.map(({ workload }) => workloadText(workload, measured)),
    notesText(bench),
    absentText(absent),
    targetText(report.targets),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function environmentText(bench: Bench, environment: Environment): string {
  const { cpu, loadAverage, udpRoundTripMs, tcpRoundTripMs, versions } = environment;
  const floor = ({ before, after }: { before: number | null; after: number | null }): string =>
    `${before === null ? '–' : figure(before)} before, ${after === null ? '–' : figure(after)} after`;
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    bench.title,
    `Node ${environment.node.slice(1)}, ${cpu.count} × ${cpu.model}, ${environment.kernel}`,
    `commit ${environment.commit ?? 'unknown'}, ${environment.date}, ${environment.rounds} rounds, seed ${environment.seed}`,
    `load ${loadAverage.before.toFixed(2)} before, ${loadAverage.after.toFixed(2)} after`,
    `UDP round trip ${floor(udpRoundTripMs)}; TCP round trip ${floor(tcpRoundTripMs)} (ms, p50)`,
    ...(peers.length === 0 ? [] : [peers.join(', ')]),
  ].join('\n');
}

function workloadText(workload: Workload, rows: readonly MeasuredRow[]): string {
  const own = rows.filter((row) => row.workload === workload.name);
  if (own.length === 0) return '';
  const contestants = [...new Set(own.map(({ contestant }) => contestant))];
  const [first] = workload.metrics;
  const cells = contestants.map((contestant) => {
    const find = (metric: string): MeasuredRow | undefined =>
      own.find((row) => row.contestant === contestant && row.metric === metric);
    const cpu = own.filter(
      (row) => row.contestant === contestant && row.metric.startsWith(CPU_METRIC),
    );
    const ratio = first === undefined ? undefined : find(first.name)?.ratioToOurs;
    return [
      contestant,
      ...workload.metrics.map(({ name }) => medianAndRange(find(name))),
      cpu
        .map(({ metric, median }) => `${metric.slice(CPU_METRIC.length)} ${figure(median)}`)
        .join(', '),
      ratio === undefined ? '' : `${figure(ratio)} ×`,
    ];
  });
  const heads = workload.metrics.map(({ name, unit }: Metric) => `${name} (${unit})`);
  const head = ['', ...heads, `CPU (µs/${workload.operation})`, 'to ours'];
  return `${workload.title}\n${table([head, ...cells])}`;
}

function notesText({ contestants }: Bench): string {
  return contestants
    .flatMap(({ name, note }) => (note === undefined ? [] : `${name}: ${note}`))
    .join('\n');
}

function absentText(rows: readonly AbsentRow[]): string {
  return rows
    .map(({ contestant, workload, outcome, reason }) => {
      const what = workload === undefined ? '' : `, ${workload}`;
      return `${contestant}${what}: ${outcome} (${reason.split('\n')[0] ?? ''})`;
    })
    .join('\n');
}

function targetText(targets: readonly TargetOutcome[]): string {
  if (targets.length === 0) return '';
  const rows = targets.map(({ name, measured, comparator, target, unit, met }) => [
    met === null ? 'not measured' : met ? 'met' : 'missed',
    name,
    measured === null ? '–' : figure(measured),
    `${comparator} ${figure(target)} ${unit}`,
  ]);
  return `Targets\n${table([['', '', 'measured', 'target'], ...rows])}`;
}

function medianAndRange(row: MeasuredRow | undefined): string {
  if (row === undefined) return '–';
  return `${figure(row.median)} (${figure(row.min)}–${figure(row.max)})`;
}

/** Three digits that count, thousands apart. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  if (size === 0) return '0';
  const digits = Math.max(0, 2 - Math.floor(Math.log10(size)));
  return value.toFixed(Math.min(4, digits));
}

/** Columns as wide as they must be; figures end at the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `  ${line}`.trimEnd())
    .join('\n');
}
