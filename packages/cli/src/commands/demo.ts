/** `swarm demo`: the whole system in one command, on real data. */
import type { SwarmClient } from '@quic-swarm/client';
import type { CommandContext } from '../command-line/context.ts';
import { formatDuration } from '../command-line/duration.ts';
import { versionText } from '../command-line/main.ts';
import type { Command } from '../command-line/specification.ts';
import { ChildProcesses } from '../demo/child-processes.ts';
import {
  computeFeatures,
  correlateIndices,
  findPattern,
  trainOneRound,
  type DemoData,
  type Finding,
} from '../demo/findings.ts';
import { compareArms } from '../demo/forecast-comparison.ts';
import { readMarketData } from '../demo/market-data.ts';
import {
  measureSequential,
  measureThroughput,
  type SequentialFigures,
  type ThroughputFigures,
} from '../measurement/round-trips.ts';
import { smallTaskFor } from '../measurement/small-task.ts';
import { EXIT } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';
import { ProgressBar } from '../output/progress-bar.ts';
import { withSwarm } from '../session/client-session.ts';

const AGENT_TYPES = ['pattern', 'strategy', 'feature', 'trainer', 'reasoning'] as const;

/** So many small tasks, or as many as fit into the time: a busy machine should not make the demo long. */
const LATENCY_TASKS = 300;
const LATENCY_BUDGET_MS = 1500;
const THROUGHPUT_TASKS = 3000;
const THROUGHPUT_BUDGET_MS = 2000;
const IN_FLIGHT = 64;

/** The command. */
export const demoCommand: Command = {
  async run(values, context) {
    const stay = values.switchState('stay') ?? (context.terminal.isInteractive && !context.json);
    const threads = values.integer('threads', { min: 1, max: 1024 }) ?? 1;
    const children = new ChildProcesses();
    const { interruption, terminal } = context;
    try {
      const work = show(context, children, threads).then(async (address) => {
        if (!context.json) context.terminal.print(nextCommands(address, stay));
        if (stay) await staying(context);
        return EXIT.ok;
      });
      return await interruption.orInterrupted(Promise.race([work, children.failed]));
    } finally {
      const startedMs = performance.now();
      if (interruption.received !== undefined) terminal.note('Stopping the swarm …');
      await children.stop();
      if (stay || interruption.received !== undefined) {
        terminal.note(`Stopped cleanly in ${formatDuration(performance.now() - startedMs)}.`);
      }
    }
  },
};

/** Starts, asks, measures and prints; gives the address of the coordinator. */
async function show(
  context: CommandContext,
  children: ChildProcesses,
  threads: number,
): Promise<string> {
  const say = narrator(context);
  const { version, platform, arch } = process;
  say.text(`quic-swarm ${versionText()} · node ${version.slice(1)} · ${platform}-${arch}`);
  say.text('  DEVELOPMENT: self-signed certificate, this machine only, nothing is stored.');
  const readyMs = stopwatch();
  const { address, fingerprint = '' } = await children.start('coordinator', ['127.0.0.1:0']);
  say.done('coordinator', `${address}  certificate ${shortened(fingerprint)}`, readyMs());
  const agentsMs = stopwatch();
  await Promise.all(
    AGENT_TYPES.map((type) =>
      children.start('agent', [
        address,
        `demo-${type}`,
        type,
        '--threads',
        String(threads),
        // A few tasks waiting behind each thread spare it the wait for the next one.
        '--slots',
        String(8 * threads),
      ]),
    ),
  );
  say.done('agents', `${AGENT_TYPES.join(' ')}  (${threads} thread each)`, agentsMs());
  const session = { address, trust: {}, connectTimeoutMs: 5000, compression: 'auto' } as const;
  await withSwarm(context, session, async (swarm) => {
    const data = await uploaded(swarm, say);
    const findings = await found(swarm, data, context, say);
    const figures = await measured(swarm, context, say);
    if (context.json) {
      const results = findings.map(({ lines: _lines, ...finding }) => finding);
      context.terminal.printJson(toJson({ address, fingerprint, results, ...figures }));
    }
  });
  return address;
}

async function uploaded(swarm: SwarmClient, say: Narrator): Promise<DemoData> {
  const elapsedMs = stopwatch();
  const data = await readMarketData();
  const table = Object.fromEntries([...data.prices, ...data.returns]);
  const { datasetId } = await swarm.putTable(table);
  say.done(
    'data',
    `${data.rows} daily closes of ${data.indices.join(', ')} (1991-1998) uploaded`,
    elapsedMs(),
  );
  return { ...data, datasetId };
}

async function found(
  swarm: SwarmClient,
  data: DemoData,
  { terminal }: CommandContext,
  say: Narrator,
): Promise<Finding[]> {
  say.text('');
  const findings: Finding[] = [];
  for (const question of [findPattern, correlateIndices, computeFeatures, trainOneRound]) {
    findings.push(say.finding(await question(swarm, data)));
  }
  const bar = new ProgressBar(terminal, 'searching history');
  try {
    const onProgress = (fraction: number): void => {
      bar.update(fraction);
    };
    findings.push(await compareArms(swarm, data, { onProgress }));
  } finally {
    bar.stop();
  }
  const last = findings.at(-1);
  if (last !== undefined) say.finding(last);
  return findings;
}

async function measured(
  swarm: SwarmClient,
  { terminal, interruption: { signal } }: CommandContext,
  say: Narrator,
): Promise<{ latency: SequentialFigures; throughput: ThroughputFigures }> {
  const task = smallTaskFor(await swarm.agents());
  const bar = new ProgressBar(terminal, 'measuring');
  try {
    const latency = await measureSequential(swarm, task, LATENCY_TASKS, {
      signal,
      budgetMs: LATENCY_BUDGET_MS,
      onProgress: (fraction) => bar.update(fraction / 2, 'latency'),
    });
    const load = { tasks: THROUGHPUT_TASKS, inFlight: IN_FLIGHT };
    const throughput = await measureThroughput(swarm, task, load, {
      signal,
      budgetMs: THROUGHPUT_BUDGET_MS,
      onProgress: (fraction) => bar.update(0.5 + fraction / 2, 'throughput'),
    });
    bar.stop();
    const { p50Ms, p99Ms } = latency;
    say.text('');
    say.text(
      `latency      p50 ${formatDuration(p50Ms)}, p99 ${formatDuration(p99Ms)} from submit to result (${latency.tasks} small tasks, one at a time)`,
    );
    say.text(
      `throughput   ${Math.round(throughput.tasksPerSecond)} tasks/s with ${IN_FLIGHT} in flight (${throughput.tasks} small tasks, one agent)`,
    );
    return { latency, throughput };
  } finally {
    bar.stop();
  }
}

/** Keeps the swarm running until a signal comes. */
async function staying({ terminal, interruption }: CommandContext): Promise<void> {
  terminal.note('\nThe swarm keeps running. Ctrl-C ends it.');
  await interruption.whenInterrupted;
}

/** What to type next: at the swarm of the demo while it runs, else how to start one. */
function nextCommands(address: string, stay: boolean): string {
  const commands = stay
    ? [
        'Type next, in another terminal in this folder:',
        `  npx swarm status ${address}`,
        `  npx swarm submit pattern --address ${address} --series examples/data/eu-stock-markets.csv --column FTSE --query-rows 1800:1860 --top 3`,
        `  npx agent ${address} agent-2 pattern`,
      ]
    : [
        'Type next:',
        '  npx swarm demo --stay                          the same, and it keeps running',
        '  npx coordinator 127.0.0.1:5000                 a coordinator of your own',
        '  npx agent 127.0.0.1:5000 agent-1 pattern       and an agent, in another terminal',
        '  npx swarm submit pattern --help                then submit a task',
      ];
  return ['', ...commands].join('\n');
}

/** Prints the story for a person; silent with `--json`. */
interface Narrator {
  text(line: string): void;
  done(label: string, text: string, milliseconds: number): void;
  finding(finding: Finding): Finding;
}

function narrator({ terminal, json }: CommandContext): Narrator {
  const text = (line: string): void => {
    if (!json) terminal.print(line);
  };
  const tick = terminal.paint('green', terminal.sign('✔', 'ok'));
  return {
    text,
    done: (label, line, milliseconds) => {
      const time = terminal.paint('dim', formatDuration(milliseconds));
      text(`${tick} ${label.padEnd(12)} ${line}  ${time}`);
    },
    finding: (finding) => {
      const [question = '', ...answers] = finding.lines;
      const label = finding.agentId.replace('demo-', '').padEnd(12);
      text(`${terminal.paint('cyan', label)} ${question}`);
      for (const answer of answers) text(`${''.padEnd(13)}${answer}`);
      return finding;
    },
  };
}

function stopwatch(): () => number {
  const startedMs = performance.now();
  return () => performance.now() - startedMs;
}

/** `sha256:3f9a…c1`, enough to recognise it. */
function shortened(fingerprint: string): string {
  return `${fingerprint.slice(0, 11)}…${fingerprint.slice(-4)}`;
}
