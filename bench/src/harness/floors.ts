/** The round trips that nothing on this machine can beat, measured with each run so that runs can be compared. */
import { requestReply } from '../workloads/request-reply.ts';
import { Crew, type CrewSurroundings } from './crew.ts';
import { loadNow, type Conditions } from './environment.ts';
import { loadPeer } from './run-bench.ts';

const SETTINGS = { warmUpMs: 100, durationMs: 200, countMin: 0 };

/** The machine's state of the moment. */
export async function conditionsNow(surroundings: CrewSurroundings): Promise<Conditions> {
  const loadAverage = loadNow();
  return {
    loadAverage,
    udpRoundTripMs: await roundTripMs('udp', surroundings),
    tcpRoundTripMs: await roundTripMs('tcp', surroundings),
  };
}

async function roundTripMs(name: string, surroundings: CrewSurroundings): Promise<number | null> {
  const contestant = { name, kind: 'floor', peer: name } as const;
  const crew = new Crew(contestant, await loadPeer(name), surroundings);
  try {
    await crew.start();
    const { values } = await crew.measure(requestReply.name, SETTINGS);
    return values['p50'] ?? null;
  } catch {
    return null;
  } finally {
    await crew.kill();
  }
}
