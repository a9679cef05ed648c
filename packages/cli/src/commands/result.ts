/** `swarm result TASKID`: what came of a task that was submitted before, by whomever. */
import type { BuiltInTaskType } from '@quic-swarm/protocol';
import type { Command } from '../command-line/specification.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';
import { awaitAndReport, type ResultView } from '../session/submission.ts';
import { parseTaskId } from '../session/task-id.ts';

/** The views of `swarm submit …`, loaded for the one that is needed; task types that it has no command for are told as it
 *  tells those of a user. */
const VIEWS: Readonly<Partial<Record<BuiltInTaskType, () => Promise<ResultView>>>> = {
  PatternMatch: async () => (await import('./submit-pattern.ts')).patternView(),
  StrategyCorrelation: async () => (await import('./submit-correlation.ts')).correlationView,
  FeatureEngineering: async () => (await import('./submit-features.ts')).featuresView,
  NeuralTraining: async () => (await import('./submit-train.ts')).trainView,
};

/** The command. */
export const resultCommand: Command = {
  async run(values, context) {
    const taskId = parseTaskId(values.requiredText('TASKID', 'swarm tasks lists the ids'));
    const options = await readSessionOptions(values, context);
    const { interruption } = context;
    return withSwarm(context, options, async (swarm) => {
      // Asked for first: a durable task may be forgotten as soon as somebody has heard of its end.
      const { taskType } = await interruption.orInterrupted(swarm.task(taskId));
      const view = await viewOf(taskType);
      const handle = await interruption.orInterrupted(swarm.attach(taskId, { watch: 'all' }));
      return awaitAndReport(context, handle, { taskType, whenInterrupted: 'leave', ...view });
    });
  },
};

async function viewOf(taskType: string): Promise<ResultView> {
  const load = Object.entries(VIEWS).find(([name]) => name === taskType)?.[1];
  return load === undefined ? (await import('./submit-compute.ts')).computeView : load();
}
