/** A client that is connected to a fake coordinator. */
import { SwarmError } from '@quic-swarm/protocol';
import { MemoryNetwork } from '@quic-swarm/transport';
import { connect, type ClientOptions, type SwarmClient } from '../../src/index.ts';
import { FakeCoordinator } from './fake-coordinator.ts';

/** Both ends and what is between them. */
export interface TestSwarm {
  readonly network: MemoryNetwork;
  readonly coordinator: FakeCoordinator;
  readonly client: SwarmClient;
}

/** Connects a client. Close it at the end of the test. */
export async function testSwarm(
  options: Partial<ClientOptions> = {},
  prepare: (coordinator: FakeCoordinator) => void = () => {},
): Promise<TestSwarm> {
  const network = new MemoryNetwork();
  const coordinator = await FakeCoordinator.listen(network);
  prepare(coordinator);
  const client = await connect({
    address: '127.0.0.1:5000',
    transport: network.transport(),
    ...options,
  });
  return { network, coordinator, client };
}

/** The error that a promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<SwarmError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SwarmError) return error;
    throw error;
  }
  throw new Error('The promise did not reject.');
}

/** Lets everything that is under way between the two ends arrive. */
export async function settle(turns = 10): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** Everything that an iterable yields. */
export async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}
