import { describe, expect, it } from 'vitest';
import type { Values } from '../src/command-line/values.ts';
import { parseAgentOptions } from '../src/commands/agent.ts';
import { parseOrder } from '../src/commands/agents.ts';
import { parseBenchOptions } from '../src/commands/bench.ts';
import { parseCertificateRequest } from '../src/commands/certs.ts';
import { parseCoordinatorOptions } from '../src/commands/coordinator.ts';
import { parseComputeOptions } from '../src/commands/submit-compute.ts';
import { parseCorrelationOptions } from '../src/commands/submit-correlation.ts';
import { parseDeadLetterIds } from '../src/commands/dead-letters.ts';
import { parseOutcomeOptions } from '../src/commands/outcome.ts';
import {
  parseExplainQuery,
  parseOptionalType,
  parseResetQuery,
} from '../src/commands/reasoning.ts';
import { parseFeatureOptions } from '../src/commands/submit-features.ts';
import { parsePatternOptions } from '../src/commands/submit-pattern.ts';
import { parseTrainOptions } from '../src/commands/submit-train.ts';
import { parseTaskQuery } from '../src/commands/tasks.ts';
import { readLabels } from '../src/session/labels.ts';
import { readSessionOptions } from '../src/session/client-session.ts';
import { readTaskTerms } from '../src/session/task-terms.ts';
import { readTrustOptions } from '../src/session/trust.ts';
import { valuesOf } from './command-lines.ts';

const PATTERN = 'submit pattern --series s.csv';
const AGENT = 'agent 127.0.0.1:5000';
const TASK_ID = '0190d3f4-7c1e-7a3b-9c55-2f6f0e6a1b2c';

const parseReplay = (values: Values): unknown => parseDeadLetterIds(values, 'replay');

type Row = [words: string, parse: (values: Values) => unknown, message: string, hint?: string];

const ROWS: Row[] = [
  ['submit pattern', parsePatternOptions, '--series is missing', '--series prices.csv'],
  [PATTERN, parsePatternOptions, 'A query is missing', '--query-rows A:B'],
  [`${PATTERN} --query q --query-rows 1:2`, parsePatternOptions, 'exclude each other'],
  [`${PATTERN} --query-rows 5:5`, parsePatternOptions, '"5:5" is not A:B with A < B'],
  [`${PATTERN} --query q --shards 0`, parsePatternOptions, '--shards cannot be "0"', '1 to 1024'],
  [`${PATTERN} --query q --shards many`, parsePatternOptions, '--shards cannot be "many"', 'auto'],
  [`${PATTERN} --query-rows 5-9`, parsePatternOptions, '"5-9" is not A:B'],
  [`${PATTERN} --query q --algorithm dwt`, parsePatternOptions, 'cannot be "dwt"', '"dtw"'],
  [`${PATTERN} --query q --epsilon 1`, parsePatternOptions, 'belong to --algorithm lcss'],
  [
    `${PATTERN} --query q --top 0`,
    parsePatternOptions,
    '--top needs a whole number from 1 to 1000',
  ],
  [
    `${PATTERN} --query q --band -1`,
    parsePatternOptions,
    '--band needs a whole number of at least 0',
  ],
  [
    `${PATTERN} --query q --algorithm lcss --path`,
    parsePatternOptions,
    '--path belongs to --algorithm dtw',
  ],
  [
    `${PATTERN} --query q --within -1`,
    parsePatternOptions,
    '--within needs a number of at least 0',
  ],
  [`${PATTERN} --query q --normalise zz`, parsePatternOptions, '--normalise cannot be "zz"', '"z"'],
  ['submit correlation --series s --columns a,a', parseCorrelationOptions, 'names "a" twice'],
  [
    'submit correlation --series s --method kendall',
    parseCorrelationOptions,
    '"kendall"',
    'pearson',
  ],
  [
    'submit correlation --series s --shrinkage 1.5',
    parseCorrelationOptions,
    '--shrinkage needs a number from 0 to 1',
  ],
  ['submit features --series s', parseFeatureOptions, '--indicators is missing', 'sma20'],
  ['submit train --series s --hidden 4,x', parseTrainOptions, '"x" is not a width'],
  ['submit train --series s --shard 4/4', parseTrainOptions, '"4/4" is not I/N with I < N'],
  ['submit train --series s --lags 0', parseTrainOptions, '--lags needs a whole number from 1'],
  ['submit compute --input i', parseComputeOptions, '--task is missing'],
  ['submit compute --task 9x --input i', parseComputeOptions, '"9x" is not a task name'],
  ['submit compute --task x', parseComputeOptions, '--input is missing'],
  [`${AGENT} a/b pattern`, parseAgentOptions, '"a/b" is not an agent id'],
  [`${AGENT} agent-1 patern`, parseAgentOptions, '"patern" is not an agent type', '"pattern"'],
  [`${AGENT} agent-1 compute`, parseAgentOptions, 'needs --handlers FILE', 'export default'],
  [`${AGENT} agent-1 pattern --threads 0`, parseAgentOptions, '--threads needs a whole number'],
  [`${AGENT} agent-1 pattern --label zone`, parseAgentOptions, '"zone" is not KEY=VALUE'],
  [`${AGENT} agent-1 pattern --grace soon`, parseAgentOptions, '--grace needs a duration', '10s'],
  ['coordinator 127.0.0.1:0 --max-pending none', parseCoordinatorOptions, '--max-pending needs'],
  ['tasks --state queud', parseTaskQuery, '--state cannot be "queud"', '"queued"'],
  ['tasks --limit 5000', parseTaskQuery, '--limit needs a whole number from 1 to 1000'],
  ['agents --cordon a --drain b', parseOrder, 'exclude each other'],
  [
    'submit train --series s --not-before tomorrow',
    readTaskTerms,
    '(ISO 8601), not "tomorrow"',
    'Z',
  ],
  [
    'submit train --series s --not-before 2026-02-30T10:00Z',
    readTaskTerms,
    'needs a date and a time',
  ],
  ['submit train --series s --not-before 2026-01-31', readTaskTerms, 'needs a date and a time'],
  ['submit train --series s --after 17', readTaskTerms, '"17" is not a task id', 'swarm tasks'],
  ['submit train --series s --timeout 0s', readTaskTerms, '--timeout must be longer'],
  [
    `submit train --series s --fairness-key ${'x'.repeat(129)}`,
    readTaskTerms,
    'has 129 characters',
  ],
  ['deadletter replay', parseReplay, 'Which dead letters?', 'swarm deadletter replay TASKID'],
  ['deadletter replay nonsense', parseReplay, '"nonsense" is not a task id'],
  [`deadletter replay --all ${TASK_ID}`, parseReplay, 'exclude each other'],
  ['outcome nonsense --value 1', parseOutcomeOptions, '"nonsense" is not a task id'],
  [`outcome ${TASK_ID}`, parseOutcomeOptions, 'How did it turn out?', '--value X'],
  [`outcome ${TASK_ID} --step 3`, parseOutcomeOptions, 'How did it turn out?'],
  [`outcome ${TASK_ID} --value x`, parseOutcomeOptions, '--value needs a number, not "x"'],
  [`outcome ${TASK_ID} --loss -1`, parseOutcomeOptions, '--loss needs a number of at least 0'],
  [`outcome ${TASK_ID} --utility 2`, parseOutcomeOptions, '--utility needs a number from 0 to 1'],
  [`outcome ${TASK_ID} --value 1 --loss 1`, parseOutcomeOptions, 'exclude each other'],
  [`outcome ${TASK_ID} --loss 1 --utility 1`, parseOutcomeOptions, 'exclude each other'],
  ['reasoning explain 1x', parseExplainQuery, '"1x" is not a task type', 'swarm reasoning ls'],
  ['reasoning items Pattern/Match', parseOptionalType, 'is not a task type', '"PatternMatch"'],
  ['reasoning reset', parseResetQuery, 'forgets everything that was learnt.', 'reset --yes'],
  ['reasoning reset PatternMatch', parseResetQuery, 'PatternMatch', 'reset PatternMatch --yes'],
  [`${PATTERN} --context 1`, readTaskTerms, '--context belongs to --learn', 'Add --learn'],
  [`${PATTERN} --step 1`, readTaskTerms, '--step belongs to --learn'],
  [`${PATTERN} --no-shadow`, readTaskTerms, 'shadow belongs to --learn'],
  [`${PATTERN} --learn --context 1,x`, readTaskTerms, '--context "x" is not a number'],
  [`${PATTERN} --learn --context ${'1,'.repeat(16)}1`, readTaskTerms, 'has 17 numbers', '16'],
  [`${PATTERN} --learn --step -1`, readTaskTerms, '--step needs a whole number'],
  ['bench --in-flight 0', parseBenchOptions, '--in-flight needs a whole number'],
  ['certs create x --agent a/b', parseCertificateRequest, '"a/b" is not an agent id'],
  ['submit train --series s --label =b', readLabels, '"=b" is not KEY=VALUE'],
];

describe('a wrong command line is refused before anything is sent', () => {
  it.each(ROWS)('swarm %s', async (line, parse, message, hint = '') => {
    const values = await valuesOf(line.split(' '));
    let thrown: unknown;
    try {
      parse(values);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({
      type: 'BAD_OPTION',
      message: expect.stringContaining(message) as string,
    });
    if (hint !== '')
      expect(thrown).toMatchObject({ hint: expect.stringContaining(hint) as string });
  });

  it.each([
    ['status --fingerprint abc', '"abc" is not a fingerprint'],
    ['status --fingerprint sha256:00 --ca x', 'exclude each other'],
    ['status --ca /does/not/exist', '--ca /does/not/exist cannot be read: there is no such file.'],
    ['status --certificate package.json', '--certificate package.json is no PEM file'],
  ])('swarm %s', async (line, message) => {
    const reading = readTrustOptions(await valuesOf(line.split(' ')));
    await expect(reading).rejects.toThrow(message);
  });
});

describe('good command lines', () => {
  it('give the parameters of a pattern search', async () => {
    const line = `${PATTERN} --column DAX --query-rows 10:20 --algorithm lcss --epsilon 0.5 --delta 2 --band 3 --top 7 --exclusion-zone 4 --normalise none`;
    expect(parsePatternOptions(await valuesOf(line.split(' ')))).toEqual({
      seriesPath: 's.csv',
      column: 'DAX',
      query: { start: 10, end: 20 },
      parameters: {
        algorithm: 'lcss',
        topK: 7,
        normalise: 'none',
        band: 3,
        epsilon: 0.5,
        delta: 2,
        exclusionZone: 4,
      },
    });
  });

  it('give the terms of a task, and nothing where nothing is said', async () => {
    const words = 'submit train --series s'.split(' ');
    expect(readTaskTerms(await valuesOf(words))).toEqual({ priority: 3 });
    const said = ['--no-durable', '--after', TASK_ID, '--after', TASK_ID.toUpperCase()];
    const keys = [
      '--fairness-key',
      'a b',
      '--idempotency-key',
      'k',
      '--label',
      'zone=a',
      '--hedge',
    ];
    const times = ['--not-before', '2026-01-31T18:00:30.5+01:00', '--timeout', '2s'];
    expect(readTaskTerms(await valuesOf([...words, ...said, ...keys, ...times]))).toEqual({
      priority: 3,
      durable: false,
      after: [TASK_ID],
      fairnessKey: 'a b',
      hedge: true,
      idempotencyKey: 'k',
      labels: { zone: 'a' },
      notBefore: new Date(Date.UTC(2026, 0, 31, 17, 0, 30, 500)),
      scheduleToCloseMs: 2000,
    });
    const durable = readTaskTerms(
      await valuesOf([...words, '--durable', '--not-before', '2026-01-31T18:00']),
    );
    expect(durable).toMatchObject({ durable: true, notBefore: new Date(2026, 0, 31, 18) });
  });

  it('find the address in the option, the word, the environment or the default', async () => {
    const address = async (line: string, SWARM_ADDRESS?: string): Promise<string> => {
      const values = await valuesOf(line.split(' '));
      const environment = SWARM_ADDRESS === undefined ? {} : { SWARM_ADDRESS };
      return (await readSessionOptions(values, { environment })).address;
    };
    expect(await address('status --address a:1', 'b:2')).toBe('a:1');
    expect(await address('status c:3', 'b:2')).toBe('c:3');
    expect(await address('status', 'b:2')).toBe('b:2');
    expect(await address('status')).toBe('127.0.0.1:5000');
    await expect(address('status a:1 --address b:2')).rejects.toThrow('exclude each other');
  });
});
