import { QuicSwarmAgent, type TaskContext, type TunableParameters } from '@quic-swarm/agent';
import { decodeResult, isSwarmError, type Arm } from '@quic-swarm/protocol';
import { MemoryNetwork } from '@quic-swarm/transport';
import { describe, expect, test } from 'vitest';
import { pricesOf } from '../support/context.ts';
import { join, workerUrl } from '../support/fixture.ts';
import handleOrder, { type Order } from '../workers/handlers.ts';

const ARMS: Arm[] = [{ window: 20 }, { window: 40 }];
const learning = { features: ['learning'] };
const handler = workerUrl('handlers');

/** Both places where a handler may run, with the same handler. */
const PLACES = [
  ['in a thread', handler],
  [
    'on the main thread',
    (input: unknown, context: TaskContext) => handleOrder(input as Order, context),
  ],
] as const;

describe.each(PLACES)('a handler %s', (_place, handle) => {
  test('is given what was chosen or suggested, and what it looked at is said with its result', async () => {
    await using joined = await join(
      { handlers: { work: handle }, tunables: { work: { arms: ARMS, loss: 'absolute' } } },
      learning,
    );
    const { peer, events } = joined;
    expect(await peer.next('TunableOffer')).toStrictEqual({
      tunables: [{ taskType: 'work', arms: ARMS, loss: 'absolute' }],
    });
    const [from = {}, to = {}] = ARMS;
    const suggestion = {
      suggestionId: 's',
      agentType: 'compute' as const,
      taskType: 'work',
      from,
      to,
      canaryPercent: 100,
      expiresInMs: 1e9,
      evidence: {
        taskType: 'work',
        candidateArmId: 'b',
        incumbentArmId: 'a',
        decision: 'adopt' as const,
        pairs: 0,
        meanDifference: 0,
        lower: -1,
        upper: 1,
        logEvidence: 0,
        logEvidenceAgainst: 0,
        alpha: 0.05,
        unpaired: 0,
        explanation: '',
      },
    };
    peer.control({ type: 'AdaptationSuggestion', body: suggestion });
    expect(await peer.next('AdaptationAck')).toStrictEqual({ suggestionId: 's', accepted: true });
    expect(events).toContainEqual(expect.objectContaining({ type: 'adapted', taskType: 'work' }));
    const looked = await peer.dispatch('work', { input: { do: 'arm' } });
    expect(await peer.completion(looked)).toMatchObject({ outcome: 'succeeded', arm: to });
    const chosen = await peer.dispatch('work', { input: { do: 'arm' }, arm: from });
    expect(await peer.completion(chosen)).toMatchObject({ arm: from });
    const unread = await peer.dispatch('work', { input: { do: 'echo' } });
    expect(await peer.completion(unread)).not.toHaveProperty('arm');
  });

  test('says what it forecasts; of several forecasts the last one counts', async () => {
    await using joined = await join({ handlers: { work: handle } });
    const { peer } = joined;
    const value = [
      [{ mean: 7 }],
      [
        { mean: 1, q05: 0, q50: 1, q95: 2, probability: 0.5 },
        [{ arm: { window: 40 }, predicted: { mean: 2 } }],
      ],
    ];
    const lease = await peer.dispatch('work', { input: { do: 'predict', value } });
    expect(await peer.completion(lease)).toMatchObject({
      outcome: 'succeeded',
      arm: { window: 1 },
      predicted: { mean: 1, q05: 0, q50: 1, q95: 2, probability: 0.5 },
      alternatives: [{ arm: { window: 40 }, predicted: { mean: 2 } }],
    });
  });

  test.each([
    ['no number', [{ mean: NaN }], 'mean NaN'],
    ['nothing', [{}], 'mean undefined'],
    ['an infinite quantile', [{ mean: 1, q95: Infinity }], 'q95 Infinity'],
    ['an impossible probability', [{ mean: 1, probability: 2 }], 'probability 2'],
    ['something unknown', [{ mean: 1, median: 2 }], 'a field median'],
    [
      'an arm that is none',
      [{ mean: 1 }, [{ arm: { window: [] }, predicted: { mean: 1 } }]],
      'has window, which',
    ],
    [
      'an alternative of no number',
      [{ mean: 1 }, [{ arm: {}, predicted: { mean: NaN } }]],
      'alternative 0',
    ],
    [
      'too many alternatives',
      [{ mean: 1 }, Array.from({ length: 65 }, () => ({ arm: {}, predicted: { mean: 1 } }))],
      '65 alternatives',
    ],
    [
      'too much',
      [
        { mean: 1 },
        Array.from({ length: 64 }, () => ({
          arm: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`${i}`, 'x'.repeat(200)])),
          predicted: { mean: 1 },
        })),
      ],
      'bytes',
    ],
  ])('fails for good when it forecasts %s', async (_name, call, words) => {
    await using joined = await join({ handlers: { work: handle } });
    const lease = await joined.peer.dispatch('work', { input: { do: 'predict', value: [call] } });
    const completion = await joined.peer.completion(lease);
    expect(completion).toMatchObject({
      outcome: 'failed',
      failure: { type: 'TASK_FAILED', retryable: false },
    });
    expect(completion.failure?.message).toContain(words);
  });
});

describe('what can be tuned', () => {
  const connect = (tunables: Record<string, TunableParameters>): Promise<unknown> =>
    QuicSwarmAgent.connect({
      address: '127.0.0.1:5000',
      id: 'agent-1',
      type: 'pattern',
      transport: new MemoryNetwork().transport(),
      connectTimeoutMs: 1,
      handlers: { work: () => 1 },
      tunables,
    }).then(
      () => undefined,
      (error: unknown) => (isSwarmError(error) ? `${error.type}: ${error.message}` : error),
    );

  test.each([
    ['one arm', { work: { arms: [{ a: 1 }] } }, 'has 1 arms'],
    ['65 arms', { work: { arms: Array.from({ length: 65 }, (_, a) => ({ a })) } }, 'has 65 arms'],
    [
      'an arm twice',
      {
        work: {
          arms: [
            { a: 1, b: 1 },
            { b: 1, a: 1 },
          ],
        },
      },
      'Arms 0 and 1',
    ],
    [
      'other names',
      { work: { arms: [{ a: 1 }, { b: 1 }] } },
      'has the parameters b, but the first has a',
    ],
    [
      'no number',
      { work: { arms: [{ a: 1 }, { a: NaN }] } },
      'Arm 1 of the tunable of work has a, which',
    ],
    ['another loss', { work: { arms: [{ a: 1 }, { a: 2 }], loss: 'cubed' } }, 'is cubed'],
    ['no list', { work: {} }, 'has no list of arms'],
    ['a type without a handler', { other: { arms: [{ a: 1 }, { a: 2 }] } }, 'tunables names other'],
    [
      'a built-in handler',
      { PatternMatch: { arms: [{ a: 1 }, { a: 2 }] } },
      'tunables names PatternMatch',
    ],
    [
      'too much',
      {
        work: {
          arms: Array.from({ length: 64 }, (_, a) => ({
            a,
            ...Object.fromEntries(
              Array.from({ length: 80 }, (__, i) => [`p${i}`, 'x'.repeat(250)]),
            ),
          })),
        },
      },
      'bytes',
    ],
  ])('is refused with %s', async (_name, tunables, words) => {
    const refusal = await connect(tunables as Record<string, TunableParameters>);
    expect(refusal).toContain('BAD_OPTION');
    expect(refusal).toContain(words);
  });

  test('changes with the handlers', async () => {
    await using joined = await join({}, learning);
    const { agent, peer } = joined;
    agent.handle('work', () => 1, { tunable: { arms: ARMS } });
    const offered = { taskType: 'work', arms: ARMS, loss: 'squared' };
    expect(await peer.next('TunableOffer')).toStrictEqual({ tunables: [offered] });
    expect(() => agent.handle('more', () => 1, { tunable: { arms: [] } })).toThrow('has 0 arms');
    expect(agent.capabilities).toStrictEqual(['work']);
    // A handler that takes another one's place is another handler.
    agent.handle('work', () => 2);
    expect(await peer.next('TunableOffer')).toStrictEqual({ tunables: [] });
  });

  test('in the built-in handlers begins with what they do by themselves', async () => {
    await using joined = await join({ type: 'pattern' }, learning);
    const { tunables } = await joined.peer.next('TunableOffer');
    expect(tunables.map(({ taskType, arms }) => [taskType, arms.length, arms[0]])).toStrictEqual([
      [
        'PatternMatch',
        24,
        { algorithm: 'dtw', windowShare: 1, normalise: 'z', bandShare: 0.05, topK: 5 },
      ],
      ['VolatilityForecast', 16, { window: 20, normalise: 'z', topK: 5 }],
    ]);
  });
});

// What is tried again on idle agents may be what pattern agents compute.
test.each(['pattern', 'reasoning'] as const)(
  'an agent of type %s forecasts volatility as it is told, and says what it forecasts',
  async (type) => {
    await using joined = await join({ type }, learning);
    const { agent, peer } = joined;
    expect(agent.capabilities).toContain('PatternMatch');
    const arm = { window: 10, normalise: 'none', topK: 30 };
    const input = { prices: { values: pricesOf(300) }, at: 250 };
    const lease = await peer.dispatch('VolatilityForecast', { input, arm });
    const { payload, resultType, ...completion } = await peer.completion(lease);
    expect(resultType).toBe('VolatilityForecast');
    const { logVolatility, parameters } = decodeResult(
      'VolatilityForecast',
      payload ?? new Uint8Array(),
    );
    expect(parameters).toMatchObject(arm);
    expect(completion).toMatchObject({
      outcome: 'succeeded',
      arm,
      predicted: { mean: logVolatility },
      alternatives: [{ arm: { ...arm, topK: 5 } }],
    });
  },
);
