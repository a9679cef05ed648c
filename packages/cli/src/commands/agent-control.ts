/** `swarm agent cordon|drain|resume ID`: what an operator can tell an agent that is connected. */
import { AGENT_ID_PATTERN } from '../command-line/names.ts';
import type { Command } from '../command-line/specification.ts';
import { usageError } from '../output/command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';

/** What each does, as a sentence about the agent. */
const SENTENCES = {
  cordon: (id: string) => `${id} gets no new tasks. Undo:  swarm agent resume ${id}`,
  drain: (id: string) => `${id} finishes what it has and leaves.`,
  resume: (id: string) => `${id} gets tasks again.`,
} as const;

/** `swarm agent cordon`. */
export const cordonCommand: Command = controlCommand('cordon');

/** `swarm agent drain`. */
export const drainCommand: Command = controlCommand('drain');

/** `swarm agent resume`. */
export const resumeCommand: Command = controlCommand('resume');

function controlCommand(action: keyof typeof SENTENCES): Command {
  return {
    async run(values, context) {
      const agentId = values.requiredText('ID', `swarm agent ${action} agent-1`);
      if (!AGENT_ID_PATTERN.test(agentId)) {
        throw usageError(
          `"${agentId}" is not an agent id.`,
          `swarm agents lists those that are connected. Then:  swarm agent ${action} agent-1`,
        );
      }
      const options = await readSessionOptions(values, context);
      const { terminal, json, interruption } = context;
      return withSwarm(context, options, async (swarm) => {
        await interruption.orInterrupted(swarm.controlAgent(agentId, action));
        terminal.print(json ? toJson({ agentId, action }) : SENTENCES[action](agentId));
        return EXIT.ok;
      });
    },
  };
}
