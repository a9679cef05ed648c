/**
 * Task type NeuralTraining: loss and gradient of a multilayer perceptron (tanh, linear output, mean squared error) on
 * one shard of a series. A row is `lags` consecutive log returns, its target the next one, in their own units: nothing
 * is standardised, so that every shard of every agent speaks of the same numbers. Rows that touch a gap are left out
 * before the rows are cut into shards.
 */
import {
  buildLaggedWindows,
  initialiseMlp,
  mlpLossAndGradients,
  sliceRows,
  splitRange,
  type SupervisedRows,
} from '@quic-swarm/kernels';
import { SwarmError, type NeuralGradients, type NeuralTrainingInput } from '@quic-swarm/protocol';
import type { TaskContext } from '../task-handler.ts';
import { resolveSeries, sha256Of } from './series-reference.ts';

/** Computes a NeuralTraining task. */
export default function computeGradients(
  input: NeuralTrainingInput,
  context: TaskContext,
): NeuralGradients {
  const startedMs = performance.now();
  const series = resolveSeries(input.series, context, 'series');
  const { inputs, targets } = shardOf(
    buildLaggedWindows({ series, lags: input.lags }),
    input.shard,
  );
  const layers = [input.lags, ...input.hidden, 1];
  const parameters = input.parameters ?? initialiseMlp(layers, input.seed ?? 0);
  const { loss, gradients, samples } = mlpLossAndGradients({ layers, parameters, inputs, targets });
  return {
    sessionId: input.sessionId ?? context.taskId,
    round: input.round ?? 0,
    layers,
    samples,
    localSteps: 1,
    lossBefore: loss,
    codec: 'float64',
    length: gradients.length,
    values: gradients,
    baseHash: sha256Of(parameters),
    computeMs: performance.now() - startedMs,
  };
}

function shardOf(rows: SupervisedRows, shard: NeuralTrainingInput['shard']): SupervisedRows {
  if (shard === undefined) return rows;
  const range = splitRange(rows.rows, shard.count)[shard.index];
  if (range === undefined) {
    throw new SwarmError(
      'BAD_INPUT',
      `Shard ${shard.index} does not exist: there are ${shard.count}, counted from 0.`,
    );
  }
  return sliceRows(rows, range);
}
