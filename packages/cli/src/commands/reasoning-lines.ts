/** What was learnt as a person reads it: tables, and items in words. */
import type {
  MemoryItem,
  ReasoningAgentRow,
  ReasoningArmRow,
  ReasoningExplanation,
  ReasoningTypeRow,
  Verdict,
} from '@quic-swarm/protocol';
import { formatDuration } from '../command-line/duration.ts';
import { formatNumber, tableLines, type TableColumn } from '../output/table.ts';
import type { Style, Terminal } from '../output/terminal.ts';

const right = 'right' as const;

/** Task types about which something is learnt. */
export function typeLines(types: readonly ReasoningTypeRow[]): string[] {
  if (types.length === 0) {
    return [
      'Nothing to learn about yet: no agent has offered parameters for tuning.',
      'Start one:  agent ADDR agent-1 pattern    Then:  swarm research forecast --help',
    ];
  }
  return tableLines<ReasoningTypeRow>(
    [
      { title: 'type', text: (row) => row.taskType },
      { title: 'arms', align: right, text: (row) => String(row.arms) },
      { title: 'experiences', align: right, text: (row) => String(row.recorded) },
      { title: 'with outcome', align: right, text: (row) => String(row.resolved) },
      { title: 'changes', align: right, text: (row) => String(row.changes) },
      { title: 'in use', text: (row) => row.incumbentArmId },
      { title: 'stage', text: stageOf },
    ],
    types,
  );
}

function stageOf({ stage, candidateArmId, canaryPercent }: ReasoningTypeRow): string {
  if (stage === 'canary')
    return `${candidateArmId ?? '?'} on ${canaryPercent ?? '?'} % of the tasks`;
  return stage === 'rolledBack' ? 'rolled back' : stage;
}

/** The best first; those without a utility, which nobody has tried, last. */
export function sortedArms(arms: readonly ReasoningArmRow[]): ReasoningArmRow[] {
  const rankOf = ({ meanUtility = -1 }: ReasoningArmRow): number => meanUtility;
  return [...arms].sort((a, b) => rankOf(b) - rankOf(a) || b.scored - a.scored);
}

/** The arms of a task type, then what the columns are. */
export function armLines(type: ReasoningTypeRow, arms: readonly ReasoningArmRow[]): string[] {
  const columns: TableColumn<ReasoningArmRow>[] = [
    { title: 'arm', text: (row) => row.armId },
    { title: '', text: (row) => roleOf(row, type) },
    { title: 'n', align: right, text: (row) => String(row.scored) },
    { title: 'utility', align: right, text: (row) => decimals(row.meanUtility) },
    { title: 'compute', align: right, text: (row) => milliseconds(row.meanComputeMs) },
    { title: 'difference', align: right, text: ({ verdict }) => differenceOf(verdict) },
    { title: 'interval', align: right, text: ({ verdict }) => intervalOf(verdict) },
    { title: 'pairs', align: right, text: ({ verdict }) => String(verdict?.pairs ?? '-') },
    { title: 'verdict', text: ({ verdict }) => verdict?.decision ?? '-' },
  ];
  const { taskType, recorded, resolved, changes } = type;
  const alpha = arms.find(({ verdict }) => verdict !== undefined)?.verdict?.alpha;
  return [
    `${taskType}: ${resolved} of ${recorded} experiences have an outcome, ${changes} change${changes === 1 ? '' : 's'} seen, stage: ${stageOf(type)}`,
    ...tableLines(columns, sortedArms(arms)),
    'n: outcomes with a utility, those of shadows and of arms that came free included; utility: their mean, 1 is best',
    ...(alpha === undefined
      ? []
      : [
          `difference: of the utility to that of the arm in use; the interval holds at every moment with ${formatNumber(100 * (1 - alpha), 3)} %`,
        ]),
  ];
}

function roleOf(
  { armId, isDefault, isIncumbent }: ReasoningArmRow,
  { stage, candidateArmId, canaryPercent }: ReasoningTypeRow,
): string {
  const roles = [
    isIncumbent ? 'in use' : '',
    stage === 'canary' && armId === candidateArmId ? `canary ${canaryPercent ?? '?'} %` : '',
    isDefault ? 'default' : '',
  ];
  return roles.filter((role) => role !== '').join(', ');
}

/** Without pairs there is nothing to tell. */
function differenceOf(verdict: Verdict | undefined): string {
  return verdict === undefined || verdict.pairs === 0 ? '-' : signed(verdict.meanDifference);
}

function intervalOf(verdict: Verdict | undefined): string {
  return verdict === undefined || verdict.pairs === 0
    ? '-'
    : `${signed(verdict.lower)} to ${signed(verdict.upper)}`;
}

/** Three decimals with a sign: differences of utilities lie within ±1. */
function signed(value: number): string {
  const text = value.toFixed(3);
  return value < 0 ? text : `+${text}`;
}

/** Why an arm was chosen, then the experiences that are most like the task. */
export function explanationLines(explanation: ReasoningExplanation): string[] {
  const { taskType, armId, sentences, nearest } = explanation;
  type Near = ReasoningExplanation['nearest'][number];
  const columns: TableColumn<Near>[] = [
    { title: 'experience', text: (row) => row.experienceId },
    { title: 'arm', text: (row) => row.armId },
    { title: 'utility', align: right, text: (row) => decimals(row.utility) },
    { title: 'distance', align: right, text: (row) => formatNumber(row.distance, 3) },
    { title: 'weight', align: right, text: (row) => formatNumber(row.weight, 3) },
  ];
  return [
    `${taskType}: ${armId}`,
    ...sentences.map((sentence) => `  ${sentence}`),
    ...(nearest.length === 0 ? [] : ['', 'Most like it:', ...tableLines<Near>(columns, nearest)]),
  ];
}

/** How the word for what to make of an item is painted. */
const STYLE_OF_KIND: Readonly<Record<MemoryItem['kind'], Style>> = {
  works: 'green',
  better: 'green',
  avoid: 'red',
  equal: 'dim',
  undecided: 'yellow',
};

const KIND_WIDTH = Math.max(...Object.keys(STYLE_OF_KIND).map(({ length }) => length));

/** What was learnt in words: title, description, content; failures are what to avoid. */
export function itemLines(items: readonly MemoryItem[], terminal: Terminal): string[] {
  if (items.length === 0) {
    return ['Nothing was learnt yet. See what comes in:  swarm reasoning ls'];
  }
  const indent = ' '.repeat(KIND_WIDTH + 2);
  return items.flatMap(({ taskType, kind, title, description, content }, index) => {
    const word = terminal.paint(STYLE_OF_KIND[kind], kind.padEnd(KIND_WIDTH));
    const heading = `${word}  ${terminal.paint('bold', title)}  ${terminal.paint('dim', taskType)}`;
    const text = [description, ...content.split('\n')];
    return [...(index === 0 ? [] : ['']), heading, ...text.map((line) => indent + line)];
  });
}

/** What each agent has shown. */
export function reasoningAgentLines(agents: readonly ReasoningAgentRow[]): string[] {
  if (agents.length === 0) {
    return ['No agent has an outcome yet. swarm outcome tells how a task turned out.'];
  }
  return [
    ...tableLines<ReasoningAgentRow>(
      [
        { title: 'agent', text: (row) => row.agentId },
        { title: 'type', text: (row) => row.taskType },
        { title: 'outcomes', align: right, text: (row) => String(row.resolved) },
        { title: 'utility', align: right, text: (row) => decimals(row.longUtility) },
        { title: 'recent', align: right, text: (row) => decimals(row.recentUtility) },
        { title: 'latency p50', align: right, text: (row) => milliseconds(row.latencyP50Ms) },
        { title: 'p99', align: right, text: (row) => milliseconds(row.latencyP99Ms) },
        { title: 'skill', align: right, text: (row) => decimals(row.skill) },
        { title: 'coverage', align: right, text: (row) => decimals(row.coverage) },
        { title: 'brier', align: right, text: (row) => decimals(row.brier) },
        {
          title: 'calibration',
          align: right,
          text: (row) => decimals(row.calibrationError),
        },
      ],
      agents,
    ),
    'skill: 1 − loss / loss of the baseline; coverage: share between the 5 % and 95 % quantiles that were forecast',
  ];
}

function decimals(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(3);
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? '-' : formatDuration(value);
}
