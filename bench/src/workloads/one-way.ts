/** One large transfer on one stream in one direction, from the first byte to the receiver's word that it has the last. */
import type { Workload } from '../harness/model.ts';
import { abilityOf, setting } from './support.ts';

const MIB = 1024 * 1024;

export const oneWay: Workload = {
  name: 'one-way',
  title: '64 MiB on one stream in one direction',
  ability: 'sendOneWay',
  metrics: [{ name: 'rate', unit: 'Mbit/s', better: 'more' }],
  operation: 'MiB',
  settings: { warmUpMib: 8, mib: 64 },
  async prepare(abilities, settings) {
    const sendOneWay = abilityOf(abilities, 'sendOneWay');
    const mib = setting(settings, 'mib');
    await sendOneWay(setting(settings, 'warmUpMib') * MIB);
    return {
      async run() {
        const startMs = performance.now();
        await sendOneWay(mib * MIB);
        const seconds = (performance.now() - startMs) / 1000;
        return { values: { rate: (mib * MIB * 8) / 1e6 / seconds }, operations: mib };
      },
      async dispose() {
        // The stream ended with its last byte.
      },
    };
  },
};
