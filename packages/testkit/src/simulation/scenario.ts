/**
 * Scenarios: small scripts that let a simulated swarm do one thing at a time, in calm weather, and show all that follows.
 * A script is a list of sentences, one in a line; {@link SENTENCES} has all of them. Lines that begin with `#` explain,
 * and lines that begin with a space are what was seen the last time, so that a script and its transcript are one text.
 */
import { isTerminal } from '@quic-swarm/protocol';
import { checkersOf } from './run-seed.ts';
import { submissionOf } from './scenario-submission.ts';
import { TASK_TYPES } from './plan.ts';
import { formatLine } from './trace.ts';
import { Violation } from './violation.ts';
import { CALM } from './weather.ts';
import { World } from './world.ts';

type Action = (world: World, words: readonly string[]) => void;

const SENTENCES: readonly (readonly [RegExp, Action])[] = [
  [/^coordinator starts$/, (world) => void world.startCoordinator()],
  [/^kill coordinator$/, (world) => world.killCoordinator()],
  [/^freeze coordinator$/, (world) => world.coordinator.freeze()],
  [/^thaw coordinator$/, (world) => world.coordinator.thaw()],
  [/^agent (\w+) computes (\S+) in (\d+) threads?$/, startAgent],
  [/^agent (\w+) starts again$/, restartAgent],
  [/^kill (a\w*)$/, (world, [id = '']) => agentOf(world, id).kill('the script says so')],
  [/^freeze (a\w*)$/, (world, [id = '']) => agentOf(world, id).freeze()],
  [/^thaw (a\w*)$/, (world, [id = '']) => agentOf(world, id).thaw()],
  [/^drain (a\w*)$/, (world, [id = '']) => agentOf(world, id).drain(10_000)],
  [/^client (\w+) starts$/, (world, [name = '']) => void world.startClient(name)],
  [/^(\w+) submits t(\d+) ([^,]+)(.*)$/, submit],
  [/^(\w+) cancels t(\d+)$/, cancel],
  [/^cut (\w+)$/, (world, [name = '']) => world.network.path(name).cut('dialler', 'listener')],
  [/^heal (\w+)$/, (world, [name = '']) => world.network.path(name).heal()],
  [/^fail disk for (\d+) ms$/, (world, [forMs]) => world.disk?.fail(Number(forMs))],
  [/^run (\d+) ms$/, (world, [ms]) => world.clock.runUntil(world.clock.nowMs + Number(ms))],
  [/^run until t(\d+) has ended$/, runUntilEnd],
  [/^expect t(\d+) (\w+) after attempt (\d+)$/, expectEnd],
];

/** However long a task may take to end. */
const END_MS_MAX = 600_000;

/** Runs a script. Returns it again, each sentence followed by what happened. Throws when an expectation is not met. */
export function runScenario(text: string): string {
  const world = new World({
    seed: 1,
    weather: CALM,
    habits: {
      settlesTogether: false,
      decisions: { features: ['durable', 'shards'], mergedTaskTypes: Object.keys(TASK_TYPES) },
    },
    resetsConnections: true,
    disk: { syncMsMin: 2, syncMsMax: 2, isLying: false },
    keepsDatasets: false,
  });
  for (const checker of checkersOf(world, 1)) world.watchWith(checker);
  const seen: string[] = [];
  let shown = 0;
  for (const sentence of text.split('\n')) {
    if (sentence.startsWith(' ')) continue;
    seen.push(sentence);
    if (sentence === '' || sentence.startsWith('#')) continue;
    act(world, sentence);
    const { lines } = world.trace;
    seen.push(
      ...lines
        .slice(shown)
        .filter(({ isNoise }) => !isNoise)
        .map(formatLine),
    );
    shown = lines.length;
  }
  return seen.join('\n');
}

function act(world: World, sentence: string): void {
  for (const [pattern, action] of SENTENCES) {
    const match = pattern.exec(sentence);
    if (match === null) continue;
    action(world, match.slice(1));
    // What was just asked for happens at once.
    world.clock.runUntil(world.clock.nowMs);
    return;
  }
  throw new Error(`A scenario says "${sentence}", which is no sentence that is known.`);
}

function startAgent(world: World, [agentId = '', taskType = '', threads]: readonly string[]): void {
  const agentType = TASK_TYPES[taskType as keyof typeof TASK_TYPES];
  const slots = Number(threads);
  world.startAgent({
    agentId,
    agentType,
    capabilities: [taskType],
    labels: {},
    slots,
    threads: slots,
  });
}

function restartAgent(world: World, [agentId = '']: readonly string[]): void {
  world.startAgent(agentOf(world, agentId).specification);
}

function agentOf(world: World, agentId: string): ReturnType<World['startAgent']> {
  const agent = world.agents.get(agentId);
  if (agent === undefined) throw new Error(`No agent ${agentId} was started.`);
  return agent;
}

function clientOf(world: World, clientName: string): ReturnType<World['startClient']> {
  const client = world.clients.get(clientName);
  if (client === undefined) throw new Error(`No client ${clientName} was started.`);
  return client;
}

function submit(
  world: World,
  [clientName = '', number, taskType = '', options = '']: readonly string[],
): void {
  const wishes = options.split(',').map((wish) => wish.trim());
  const asked = submissionOf(world.works, Number(number), taskType, wishes.slice(1));
  clientOf(world, clientName).ledger.submit(asked);
}

function cancel(world: World, [clientName = '', number]: readonly string[]): void {
  clientOf(world, clientName).ledger.cancel(Number(number));
}

function runUntilEnd(world: World, [number]: readonly string[]): void {
  const taskId = world.names.idOf(Number(number));
  const hasEnded = (): boolean => {
    const task = world.coordinator.core.state.tasks.get(taskId);
    return task !== undefined && isTerminal(task.state) && !isWatched(world, `t${number}`);
  };
  world.clock.runUntil(world.clock.nowMs + END_MS_MAX, hasEnded);
  if (!hasEnded()) throw new Violation('everything ends', `t${number} does not end.`);
}

/** Somebody has not heard of its end yet. */
function isWatched(world: World, name: string): boolean {
  return [...world.clients.values()].some(({ ledger }) => ledger.open.includes(name));
}

function expectEnd(world: World, [number, state, attempt]: readonly string[]): void {
  const task = world.coordinator.core.state.tasks.get(world.names.idOf(Number(number)));
  if (task?.state === state && task?.attempt === Number(attempt)) return;
  const found = task === undefined ? 'not known' : `${task.state} after attempt ${task.attempt}`;
  throw new Error(`t${number} is ${found}, expected ${state} after attempt ${attempt}.`);
}
