/** How long a new connection takes: cold, and with the TLS session of an earlier one. */
import type { ConnectTimes } from '../peers/contract.ts';
import type { Metric, Workload } from '../harness/model.ts';
import { median, quantile } from '../harness/statistics.ts';
import { abilityOf, setting } from './support.ts';

const METRICS: readonly Metric[] = [
  { name: 'first answer p50', unit: 'ms', better: 'less' },
  { name: 'first answer p90', unit: 'ms', better: 'less' },
  { name: 'connected p50', unit: 'ms', better: 'less' },
];

const SETTINGS = { warmUpCount: 8, count: 40 };

function connecting(
  name: string,
  title: string,
  ability: 'connectCold' | 'connectResumed',
): Workload {
  return {
    name,
    title,
    ability,
    metrics: METRICS,
    operation: 'connection',
    settings: SETTINGS,
    async prepare(abilities, settings) {
      const connect = abilityOf(abilities, ability);
      const times = async (count: number): Promise<ConnectTimes[]> => {
        const all: ConnectTimes[] = [];
        while (all.length < count) all.push(await connect());
        return all;
      };
      await times(setting(settings, 'warmUpCount'));
      return {
        async run() {
          const all = await times(setting(settings, 'count'));
          if (all.some(({ isResumed }) => isResumed !== (ability === 'connectResumed'))) {
            throw new Error('Some connections were resumed and some were not.');
          }
          return { values: valuesOf(all), operations: all.length };
        },
        dispose: async () => undefined,
      };
    },
  };
}

function valuesOf(all: readonly ConnectTimes[]): Record<string, number> {
  const answers = all.map(({ firstAnswerMs }) => firstAnswerMs).sort((a, b) => a - b);
  const connected = all.flatMap(({ connectedMs }) => connectedMs ?? []);
  return {
    'first answer p50': quantile(answers, 0.5),
    'first answer p90': quantile(answers, 0.9),
    ...(connected.length === 0 ? {} : { 'connected p50': median(connected) }),
  };
}

export const connectCold = connecting(
  'connect',
  'A new connection without any memory, to the answer to its first 256 bytes',
  'connectCold',
);

export const connectResumed = connecting(
  'resume',
  'A new connection with the TLS session of an earlier one, to the answer to its first 256 bytes',
  'connectResumed',
);
