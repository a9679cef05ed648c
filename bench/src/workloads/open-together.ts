/** Very many streams at the same time: all are opened and answered before the first one is closed. */
import type { Workload } from '../harness/model.ts';
import { abilityOf, messageOf, setting } from './support.ts';

const MESSAGE_BYTES = 256;
const COUNT = 10_000;

export const openTogether: Workload = {
  name: 'open-together',
  title:
    '10,000 streams open at the same time: open all, send and answer 256 bytes on each, close all',
  ability: 'openTogether',
  metrics: [
    { name: 'rate', unit: 'streams/s', better: 'more' },
    { name: 'all', unit: 'ms', better: 'less' },
    { name: 'answered', unit: 'ms', better: 'less' },
    { name: 'closed', unit: 'ms', better: 'less' },
  ],
  operation: 'stream',
  settings: { warmUpCount: 1000, count: COUNT },
  async prepare(abilities, settings) {
    const open = abilityOf(abilities, 'openTogether');
    const message = messageOf(MESSAGE_BYTES);
    const count = setting(settings, 'count');
    const warmUp = await open(setting(settings, 'warmUpCount'), message);
    await warmUp.close();
    return {
      async run() {
        const startMs = performance.now();
        const streams = await open(count, message);
        const answeredMs = performance.now() - startMs;
        await streams.close();
        const allMs = performance.now() - startMs;
        const rate = (count / allMs) * 1000;
        // Times of fewer streams would stand beside times of 10,000 as if they were the same.
        if (count !== COUNT) return { values: { rate }, operations: count };
        const values = { rate, all: allMs, answered: answeredMs, closed: allMs - answeredMs };
        return { values, operations: count };
      },
      dispose: async () => undefined,
    };
  },
};
