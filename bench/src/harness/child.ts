/** The entry of every child process: becomes a process of a peer and does what the bench asks for. */
import { workloads } from '../workloads/index.ts';
import type { Peer, StartedProcess } from '../peers/contract.ts';
import type { Prepared } from './model.ts';
import type { Reply, Request, RequestName, Requests } from './messages.ts';

let started: StartedProcess | undefined;
let prepared: Prepared | undefined;

type Handlers = {
  readonly [Name in RequestName]: (ask: Requests[Name]['ask']) => Promise<Requests[Name]['reply']>;
};

const handlers: Handlers = {
  async start(ask) {
    const { peer } = (await import(`../peers/${ask.peer}.js`)) as { peer: Peer };
    const process = peer.processes.find(({ name }) => name === ask.process);
    if (process === undefined) throw new Error(`${ask.peer} has no process ${ask.process}.`);
    started = await process.start(ask);
    return {
      address: started.address,
      programPids: started.programPids ?? [],
      abilities: Object.keys(started.abilities ?? {}) as Requests['start']['reply']['abilities'],
    };
  },
  async prepare({ workload: name, settings }) {
    const workload = workloads.find((each) => each.name === name);
    if (workload === undefined) throw new Error(`There is no workload ${name}.`);
    prepared = await workload.prepare(started?.abilities ?? {}, settings);
    return undefined;
  },
  async measure() {
    if (prepared === undefined) throw new Error('Nothing was prepared.');
    return prepared.run();
  },
  async dispose() {
    await prepared?.dispose();
    prepared = undefined;
    return undefined;
  },
  async cpu() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  async stop() {
    await started?.stop();
    return undefined;
  },
};

async function answer({ id, name, ask }: Request): Promise<Reply> {
  try {
    const handler = handlers[name] as (ask: unknown) => Promise<unknown>;
    return { id, reply: await handler(ask) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', (request: Request) => {
  void answer(request).then((reply) => {
    process.send?.(reply, () => {
      if (request.name === 'stop') process.exit(0);
    });
  });
});
// The bench is gone, however it ended: nobody will ask again. What was started ends with this process.
process.on('disconnect', () => {
  process.exit(0);
});
// Ctrl-C reaches every process of a terminal; this one ends when the bench does.
process.on('SIGINT', () => undefined);
