/** Requests on streams (or calls) of their own: one at a time, and 1,000 at a time. */
import type { Workload } from '../harness/model.ts';
import { latencyValues } from '../harness/statistics.ts';
import { abilityOf, keepInFlight, messageOf, repeatFor, setting } from './support.ts';

const MESSAGE_BYTES = 256;

const nothing = async (): Promise<void> => undefined;

export const lonelyRequests: Workload = {
  name: 'lonely-requests',
  title: 'A stream per request of 256 bytes, one at a time',
  ability: 'request',
  metrics: [
    { name: 'p50', unit: 'ms', better: 'less' },
    { name: 'p99', unit: 'ms', better: 'less' },
  ],
  operation: 'request',
  settings: { warmUpMs: 200, durationMs: 500 },
  async prepare(abilities, settings) {
    const request = abilityOf(abilities, 'request');
    const message = messageOf(MESSAGE_BYTES);
    const ask = async (): Promise<void> => request(message);
    await repeatFor(setting(settings, 'warmUpMs'), ask);
    return {
      async run() {
        const latenciesMs = await repeatFor(setting(settings, 'durationMs'), ask);
        return { values: latencyValues(latenciesMs), operations: latenciesMs.length };
      },
      dispose: nothing,
    };
  },
};

export const streamPerRequest: Workload = {
  name: 'stream-per-request',
  title: 'A stream per request of 256 bytes, 1,000 in flight',
  ability: 'request',
  metrics: [{ name: 'rate', unit: 'requests/s', better: 'more' }],
  operation: 'request',
  settings: { inFlight: 1000, warmUpMs: 300, durationMs: 1000 },
  async prepare(abilities, settings) {
    const request = abilityOf(abilities, 'request');
    const message = messageOf(MESSAGE_BYTES);
    const inFlight = setting(settings, 'inFlight');
    const ask = async (): Promise<void> => request(message);
    const warmUpMs = setting(settings, 'warmUpMs');
    if (warmUpMs > 0) await keepInFlight(inFlight, warmUpMs, ask);
    return {
      async run() {
        const { operations, elapsedMs } = await keepInFlight(
          inFlight,
          setting(settings, 'durationMs'),
          ask,
        );
        return { values: { rate: (operations / elapsedMs) * 1000 }, operations };
      },
      dispose: nothing,
    };
  },
};
