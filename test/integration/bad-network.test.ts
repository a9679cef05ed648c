/** A swarm whose agents and clients reach the coordinator over a network that loses, swaps, repeats and changes datagrams. */
import { QuicSwarmAgent } from '@quic-swarm/agent';
import { connect } from '@quic-swarm/client';
import { FaultProxy, TestSwarm } from '@quic-swarm/testkit';
import { formatAddress, parseAddress } from '@quic-swarm/transport';
import { expect, it } from 'vitest';

const TASKS = 50;
const PARTS = 20;

/** Numbers with all bits of their fractions in use. */
function thirdsFrom(first: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, index) => (first + index) / 3);
}

it('completes every task, bit for bit, with parts of results in their order', async () => {
  await using swarm = await TestSwarm.start({ transport: 'quic' });
  await using network = await FaultProxy.open({
    server: parseAddress(swarm.address),
    faults: {
      lossRate: 0.03,
      reorderRate: 0.25,
      duplicateRate: 0.05,
      flipRate: 0.03,
      jitterMs: 1,
    },
  });
  const { transport } = swarm;
  const address = formatAddress(network.address);
  const patience = { timeoutMs: 20_000, requestTimeoutMs: 20_000 };
  await using agent = await QuicSwarmAgent.connect({
    address,
    transport,
    id: 'far-away',
    type: 'compute',
    threads: 1,
    slots: 8,
    connectTimeoutMs: 20_000,
    handlers: {
      thirds: (first) => thirdsFrom(first as number, 500),
      parts: (first, { emit }) => {
        for (let part = 0; part < PARTS; part += 1) emit(thirdsFrom((first as number) + part, 300));
        return PARTS;
      },
    },
  });
  const run = agent.run();
  await using client = await connect({ address, transport, ...patience });
  const inputs = Array.from({ length: TASKS }, (_, index) => 1000 * index);
  const results: unknown[] = [];
  const options = { submitTimeoutMs: 20_000 };
  for await (const { result } of client.map('thirds', inputs, options)) results.push(result);
  expect(results).toEqual(inputs.map((first) => thirdsFrom(first, 500)));
  const handle = await client.submit<number>('parts', 7, options);
  const parts: unknown[] = [];
  for await (const part of handle.chunks()) parts.push(part);
  expect(parts).toEqual(Array.from({ length: PARTS }, (_, part) => thirdsFrom(7 + part, 300)));
  expect(await handle.result()).toBe(PARTS);
  const { lost, heldBack, duplicated, flipped } = network.statistics('toServer');
  expect(Math.min(lost, heldBack, duplicated, flipped)).toBeGreaterThan(0);
  await agent.close();
  await run;
});
