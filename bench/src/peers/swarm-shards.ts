/**
 * quic-swarm with agents that search: `agents` of them (1 or 2), each with `threads` threads, and a search that is cut
 * into `shards`, or into as many as the coordinator likes.
 */
import { connect } from '@quic-swarm/client';
import { addressOf, type Peer } from './contract.ts';
import { longSeries, queryOf, SEARCHES } from './kernel-inputs.ts';
import { coordinatorProcess, startAgent } from './swarm.ts';

type PeerProcess = Peer['processes'][number];

/** An agent, if the variant has so many of them. */
function agentProcess(number: number): PeerProcess {
  return {
    name: `agent ${number}`,
    async start(context) {
      if (number > Number(context.variant['agents'])) return { stop: () => undefined };
      const threads = Number(context.variant['threads']);
      return startAgent(context, { id: `bench-agent-${number}`, type: 'pattern', threads });
    },
  };
}

export const peer: Peer = {
  packages: [],
  processes: [
    coordinatorProcess,
    agentProcess(1),
    agentProcess(2),
    {
      name: 'client',
      async start(context) {
        const client = await connect({
          address: addressOf(context, 'coordinator'),
          name: 'bench',
          security: { authority: context.identity.authority },
        });
        const shards = Number(context.variant['shards']);
        const datasets = new Map<number, string>();
        const datasetOf = async (points: number): Promise<string> => {
          const known = datasets.get(points);
          if (known !== undefined) return known;
          const { datasetId } = await client.putTable({ x: longSeries(points) });
          datasets.set(points, datasetId);
          return datasetId;
        };
        return {
          abilities: {
            search: async (name, points) => {
              const search = SEARCHES[name];
              if (search === undefined) throw new Error(`${name} is no search.`);
              const datasetId = await datasetOf(points);
              const result = await client.run(
                'PatternMatch',
                {
                  series: { datasetId, column: 'x' },
                  query: { values: queryOf(name) },
                  algorithm: 'dtw',
                  band: search.band,
                  topK: 1,
                },
                { shards },
              );
              return result.matches[0]?.start ?? NaN;
            },
          },
          stop: async () => client.close(),
        };
      },
    },
  ],
};
