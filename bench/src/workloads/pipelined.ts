/** As many small messages as one long-lived stream carries while 1,000 of them wait for their answers. */
import type { Workload } from '../harness/model.ts';
import type { Channel } from '../peers/contract.ts';
import { abilityOf, messageOf, setting } from './support.ts';

const MESSAGE_BYTES = 256;

export const pipelined: Workload = {
  name: 'pipelined',
  title: 'Messages of 256 bytes and their answers on one stream, 1,000 in flight',
  ability: 'openChannel',
  metrics: [{ name: 'rate', unit: 'messages/s', better: 'more' }],
  operation: 'message',
  settings: { inFlight: 1000, warmUpMs: 250, durationMs: 600 },
  async prepare(abilities, settings) {
    const channel = await abilityOf(abilities, 'openChannel')(MESSAGE_BYTES);
    const inFlight = setting(settings, 'inFlight');
    const warmUpMs = setting(settings, 'warmUpMs');
    if (warmUpMs > 0) await pump(channel, inFlight, warmUpMs);
    return {
      async run() {
        const startMs = performance.now();
        const operations = await pump(channel, inFlight, setting(settings, 'durationMs'));
        const seconds = (performance.now() - startMs) / 1000;
        return { values: { rate: operations / seconds }, operations };
      },
      async dispose() {
        channel.close();
      },
    };
  },
};

/** Sends a message for each answer until the time is up, then waits for the rest; how many were answered. */
async function pump(channel: Channel, inFlight: number, durationMs: number): Promise<number> {
  const message = messageOf(MESSAGE_BYTES);
  const endMs = performance.now() + durationMs;
  return new Promise((resolve) => {
    let sent = inFlight;
    let answered = 0;
    channel.onAnswers = (count) => {
      answered += count;
      if (performance.now() < endMs) {
        sent += count;
        for (let each = 0; each < count; each += 1) channel.send(message);
      } else if (answered === sent) {
        resolve(answered);
      }
    };
    for (let each = 0; each < inFlight; each += 1) channel.send(message);
  });
}
