/** The kernels of quic-swarm, as an agent calls them. */
import { computeIndicators } from '@quic-swarm/kernels';
import { FIVE } from '../workloads/indicators.ts';
import type { Peer } from './contract.ts';

export const peer: Peer = {
  packages: [],
  processes: [
    {
      name: 'compute',
      async start({ variant }) {
        const kept = new Map<string, Float64Array>();
        const keep = (name: string, rows: number): Float64Array => {
          const column = kept.get(name) ?? new Float64Array(rows);
          kept.set(name, column);
          return column;
        };
        const options = variant['reusesColumns'] === true ? { columnFor: keep } : {};
        return {
          abilities: {
            prepareIndicator: (name, { close, ...others }) => {
              const specs = name === 'five' ? FIVE : [name];
              return () =>
                Object.values(computeIndicators(specs, close, others, options)).map(
                  (column) => column.at(-1) ?? Number.NaN,
                );
            },
          },
          stop: () => undefined,
        };
      },
    },
  ],
};
