import type {
  MemoryItem,
  ReasoningAgentRow,
  ReasoningArmRow,
  ReasoningTypeRow,
  Verdict,
} from '@quic-swarm/protocol';
import { describe, expect, it } from 'vitest';
import { parseOutcomeOptions } from '../src/commands/outcome.ts';
import {
  parseExplainQuery,
  parseOptionalType,
  parseResetQuery,
} from '../src/commands/reasoning.ts';
import {
  armLines,
  explanationLines,
  itemLines,
  reasoningAgentLines,
  sortedArms,
  typeLines,
} from '../src/commands/reasoning-lines.ts';
import { readTaskTerms } from '../src/session/task-terms.ts';
import { keptTerminal, valuesOf } from './command-lines.ts';

const TASK_ID = '0190d3f4-7c1e-7a3b-9c55-2f6f0e6a1b2c';

const type: ReasoningTypeRow = {
  taskType: 'VolatilityForecast',
  arms: 3,
  defaultArmId: 'topK=5,window=20',
  incumbentArmId: 'topK=5,window=20',
  stage: 'canary',
  candidateArmId: 'topK=30,window=40',
  canaryPercent: 10,
  recorded: 310,
  resolved: 300,
  changes: 1,
};

const verdict: Verdict = {
  taskType: 'VolatilityForecast',
  candidateArmId: 'topK=30,window=40',
  incumbentArmId: 'topK=5,window=20',
  decision: 'adopt',
  pairs: 288,
  meanDifference: 0.0391,
  lower: 0.011,
  upper: 0.067,
  logEvidence: 6,
  logEvidenceAgainst: -4,
  alpha: 0.05,
  unpaired: 0,
  explanation: '',
};

const arms: ReasoningArmRow[] = [
  {
    armId: 'topK=5,window=20',
    arm: { topK: 5, window: 20 },
    isDefault: true,
    isIncumbent: true,
    recorded: 160,
    resolved: 155,
    scored: 290,
    meanUtility: 0.7312,
    meanComputeMs: 1.234,
  },
  {
    armId: 'topK=5,window=5',
    arm: { topK: 5, window: 5 },
    isDefault: false,
    isIncumbent: false,
    recorded: 0,
    resolved: 0,
    scored: 0,
  },
  {
    armId: 'topK=30,window=40',
    arm: { topK: 30, window: 40 },
    isDefault: false,
    isIncumbent: false,
    recorded: 150,
    resolved: 145,
    scored: 290,
    meanUtility: 0.7703,
    verdict,
  },
];

const cells = (line: string | undefined): string[] => (line ?? '').trim().split(/ {2,}/);

describe('swarm reasoning', () => {
  it('lists the task types with what is in use and what is tried', () => {
    const [header, row] = typeLines([type]).map(cells);
    expect(header).toEqual([
      'type',
      'arms',
      'experiences',
      'with outcome',
      'changes',
      'in use',
      'stage',
    ]);
    expect(row).toEqual([
      'VolatilityForecast',
      '3',
      '310',
      '300',
      '1',
      'topK=5,window=20',
      'topK=30,window=40 on 10 % of the tasks',
    ]);
    const { candidateArmId: _arm, canaryPercent: _percent, ...rest } = type;
    expect(typeLines([{ ...rest, stage: 'rolledBack' }])[1]).toMatch(/ rolled back$/);
    expect(typeLines([]).join('\n')).toContain('agent ADDR agent-1 pattern');
  });

  it('shows the arms, the best first, what is in use and what is tried marked', () => {
    expect(sortedArms(arms).map(({ armId }) => armId)).toEqual([
      'topK=30,window=40',
      'topK=5,window=20',
      'topK=5,window=5',
    ]);
    const [head, header, best, inUse, untried, ...notes] = armLines(type, arms);
    expect(head).toContain('300 of 310 experiences have an outcome, 1 change seen');
    expect(cells(header).slice(0, 3)).toEqual(['arm', 'n', 'utility']);
    expect(cells(best)).toEqual([
      'topK=30,window=40',
      'canary 10 %',
      '290',
      '0.770',
      '-',
      '+0.039',
      '+0.011 to +0.067',
      '288',
      'adopt',
    ]);
    expect(cells(inUse)).toEqual([
      'topK=5,window=20',
      'in use, default',
      '290',
      '0.731',
      '1.23 ms',
      '-',
      '-',
      '-',
      '-',
    ]);
    expect(cells(untried).slice(0, 3)).toEqual(['topK=5,window=5', '0', '-']);
    expect(notes.join('\n')).toContain('95 %');
  });

  it('shows items in words, failures as what to avoid', () => {
    const item: MemoryItem = {
      taskType: 'VolatilityForecast',
      kind: 'works',
      title: 'Long windows',
      description: 'window 40 beats window 20',
      content: 'first line\nsecond line',
    };
    const avoid: MemoryItem = { ...item, kind: 'avoid', title: 'Short windows' };
    const lines = itemLines([item, avoid], keptTerminal().terminal);
    expect(lines).toEqual([
      'works      Long windows  VolatilityForecast',
      '           window 40 beats window 20',
      '           first line',
      '           second line',
      '',
      'avoid      Short windows  VolatilityForecast',
      '           window 40 beats window 20',
      '           first line',
      '           second line',
    ]);
    const colours = keptTerminal({ isTTY: true, environment: { TERM: 'xterm' } }).terminal;
    expect(itemLines([avoid], colours)[0]).toContain('\u001B[31mavoid');
    expect(itemLines([], colours)).toHaveLength(1);
  });

  it('shows what agents have shown, with gaps where nothing is known', () => {
    const row: ReasoningAgentRow = {
      agentId: 'agent-1',
      taskType: 'VolatilityForecast',
      resolved: 12,
      recentUtility: 0.81234,
      latencyP50Ms: 3,
      skill: -0.25,
    };
    expect(cells(reasoningAgentLines([row])[1])).toEqual([
      'agent-1',
      'VolatilityForecast',
      '12',
      '-',
      '0.812',
      '3 ms',
      '-',
      '-0.250',
      '-',
      '-',
      '-',
    ]);
    expect(reasoningAgentLines([])[0]).toContain('swarm outcome');
  });

  it('explains in sentences, then with the experiences that are most like it', () => {
    const explanation = {
      taskType: 'VolatilityForecast',
      armId: 'topK=5,window=20',
      sentences: ['It is the default.', 'Nothing else was tried.'],
      nearest: [],
    };
    expect(explanationLines(explanation)).toEqual([
      'VolatilityForecast: topK=5,window=20',
      '  It is the default.',
      '  Nothing else was tried.',
    ]);
    const near = { experienceId: 'e-1', armId: 'a', distance: 0.5, weight: 0.25 };
    const row = explanationLines({ ...explanation, nearest: [near] }).at(-1);
    expect(cells(row)).toEqual(['e-1', 'a', '-', '0.5', '0.25']);
  });

  it('takes a task or a task type for explain, and one type or all for the others', async () => {
    const explain = async (what: string): Promise<unknown> =>
      parseExplainQuery(await valuesOf(['reasoning', 'explain', what]));
    expect(await explain(TASK_ID.toUpperCase())).toEqual({ taskId: TASK_ID });
    expect(await explain('my.task')).toEqual({ taskType: 'my.task' });
    expect(parseOptionalType(await valuesOf(['reasoning', 'agents']))).toEqual({});
    const reset = ['reasoning', 'reset'];
    expect(parseResetQuery(await valuesOf([...reset, '--yes']))).toEqual({});
    const one = parseResetQuery(await valuesOf([...reset, 'my.task', '--yes']));
    expect(one).toEqual({ taskType: 'my.task' });
  });
});

describe('what is learnt from', () => {
  it('is an outcome as it came, also a negative one', async () => {
    const values = await valuesOf(['outcome', TASK_ID, '--value', '-4.5', '--step', '7']);
    const outcome = { actual: -4.5, step: 7 };
    expect(parseOutcomeOptions(values)).toEqual({ taskId: TASK_ID, outcome });
  });

  it('is a submission that says so', async () => {
    const submit = ['submit', 'compute', '--task', 't', '--input', 'i'];
    expect(readTaskTerms(await valuesOf(submit)).learn).toBeUndefined();
    const plain = readTaskTerms(await valuesOf([...submit, '--learn']));
    expect(plain.learn).toEqual({});
    const words = [
      '--learn',
      '--context=-0.1,2',
      '--series-id',
      'DAX',
      '--step',
      '7',
      '--no-shadow',
    ];
    expect(readTaskTerms(await valuesOf([...submit, ...words])).learn).toEqual({
      context: [-0.1, 2],
      seriesId: 'DAX',
      step: 7,
      shadow: false,
    });
  });
});
