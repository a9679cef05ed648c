/** Everybody's source port changes while work goes on, as behind a router that was started again. */
import type { ClientEvent } from '@quic-swarm/client';
import { balance } from '../support/accounts.ts';
import { integerFrom, type ChaosCase, type ChaosContext } from '../support/chaos-case.ts';
import { pauseMs } from '../support/clock.ts';
import { maximumOf } from '../support/findings.ts';
import { FaultyPaths } from '../support/proxied.ts';
import { Ledger } from '../support/ledger.ts';
import { Load } from '../support/load.ts';
import { CONNECTED, ProcessSwarm } from '../support/process-swarm.ts';

const AGENTS = 3;
/** quiche 0.18 never forgets a connection id that was used on a path: a connection can move seven times. */
const MOVES = 6;
const SILENCE_MS = 1000;
/** In what an agent says when it has lost its connection. */
const DISCONNECTED = 'disconnected: ';

export const migration: ChaosCase = {
  name: 'migration',
  about: 'The ports of agents and clients change while they work; connections survive.',
  minutesMax: 5,
  async run(context) {
    const { findings, isQuick } = context;
    const rounds = isQuick ? 2 : 4;
    const silencesMs: number[] = [];
    let newConnections = 0;
    for (let round = 0; round < rounds; round += 1) {
      const moved = await moveAll(context, round);
      silencesMs.push(moved.silenceMs);
      newConnections += moved.newConnections;
    }
    findings.safety('moves of each connection', MOVES * rounds, { atLeast: MOVES * rounds });
    findings.goal(
      `of ${rounds * (AGENTS + 1)} connections that did not survive their moves`,
      newConnections,
      { atMost: 0 },
      {},
    );
    findings.goal('longest time in which the client heard of no end', maximumOf(silencesMs), {
      atMost: SILENCE_MS,
    });
  },
};

async function moveAll(
  { seed, random, findings, say }: ChaosContext,
  round: number,
): Promise<{ silenceMs: number; newConnections: number }> {
  await using swarm = await ProcessSwarm.start();
  await using paths = await FaultyPaths.open(swarm, seed + 2 * round);
  const agents = await swarm.startAgents(
    Array.from({ length: AGENTS }, (_, index) => `agent-${index}`),
    { address: paths.agentsAddress },
  );
  const events: ClientEvent[] = [];
  const client = await swarm.connect({
    address: paths.clientsAddress,
    onEvent: (event) => events.push(event),
  });
  const ledger = new Ledger();
  const computeMs = (): number => integerFrom(random, 5, 20);
  const load = new Load({ client, ledger, concurrency: 4 * AGENTS, computeMs });
  for (let move = 0; move < MOVES; move += 1) {
    await pauseMs(integerFrom(random, 400, 1200));
    // Every third time from another address as well, as a laptop that changes its network.
    const host = move % 3 === 2 ? '127.0.0.2' : '127.0.0.1';
    await Promise.all([paths.agents.rebind(host), paths.clients.rebind(host)]);
  }
  await pauseMs(1000);
  await load.stop();
  const ends = ledger.rows.flatMap(({ endedAtMs }) => endedAtMs ?? []).sort((a, b) => a - b);
  const silenceMs = maximumOf(ends.map((atMs, index) => atMs - (ends[index - 1] ?? atMs)));
  const rejoined = agents.reduce((sum, { program }) => sum + program.count(CONNECTED) - 1, 0);
  const reconnected = events.filter(({ type }) => type === 'disconnected').length;
  say(
    `round ${round}: ${ends.length} tasks, longest silence ${silenceMs.toFixed(0)} ms, ${rejoined} agents and ${reconnected} clients connected anew`,
  );
  for (const { id, program } of agents) {
    for (const { text } of program.lines) {
      if (text.includes(DISCONNECTED)) say(`${id}: ${text}`);
    }
  }
  await balance(ledger, client, findings);
  return { silenceMs, newConnections: rejoined + reconnected };
}
