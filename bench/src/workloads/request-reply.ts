/** One message after the other on one long-lived stream, each sent when the answer to the last one has come. */
import type { Workload } from '../harness/model.ts';
import { latencyValues } from '../harness/statistics.ts';
import { abilityOf, messageOf, repeatFor, setting } from './support.ts';

const MESSAGE_BYTES = 256;

export const requestReply: Workload = {
  name: 'request-reply',
  title: 'Request and reply of 256 bytes on one stream, one at a time',
  ability: 'openChannel',
  metrics: [
    { name: 'p50', unit: 'ms', better: 'less' },
    { name: 'p99', unit: 'ms', better: 'less' },
    { name: 'p999', unit: 'ms', better: 'less' },
  ],
  operation: 'request',
  settings: { warmUpMs: 250, durationMs: 800, countMin: 2000 },
  async prepare(abilities, settings) {
    const channel = await abilityOf(abilities, 'openChannel')(MESSAGE_BYTES);
    const message = messageOf(MESSAGE_BYTES);
    let answered = (): void => undefined;
    channel.onAnswers = () => {
      answered();
    };
    const exchange = async (): Promise<void> =>
      new Promise((resolve) => {
        answered = resolve;
        channel.send(message);
      });
    await repeatFor(setting(settings, 'warmUpMs'), exchange);
    return {
      async run() {
        const latenciesMs = await repeatFor(
          setting(settings, 'durationMs'),
          exchange,
          setting(settings, 'countMin'),
        );
        return { values: latencyValues(latenciesMs), operations: latenciesMs.length };
      },
      async dispose() {
        channel.close();
      },
    };
  },
};
