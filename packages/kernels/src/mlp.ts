/**
 * A multilayer perceptron with tanh hidden layers and a linear output, its mean squared error and
 * the error's gradient by back-propagation (Rumelhart, Hinton & Williams 1986), over one flat
 * parameter vector, which is what travels between trainers.
 *
 * Layout of the vector, layer by layer: the weights (outputs × inputs, row by row), then the
 * outputs' biases. Loss = Σ (prediction − target)² / (rows · outputs).
 */
import { requireInteger } from './check.ts';
import { KernelError } from './problem.ts';
import { RandomSource } from './random.ts';

/** A batch to learn from. */
export interface MlpBatch {
  /** Units per layer: inputs, hidden layers …, outputs. At least two entries. */
  readonly layers: readonly number[];
  /** {@link mlpParameterCount} values. */
  readonly parameters: Float64Array;
  /** rows × layers[0], row by row. */
  readonly inputs: Float64Array;
  /** rows × the last layer, row by row. */
  readonly targets: Float64Array;
}

/** What one batch says about the parameters. */
export interface MlpGradients {
  /** Mean squared error over rows and outputs. */
  readonly loss: number;
  /** Derivative of the loss by each parameter. */
  readonly gradients: Float64Array;
  /** Rows in the batch: the weight of this gradient in an average. */
  readonly samples: number;
}

/** Length of the parameter vector. @throws KernelError BAD_PARAMETER for the layers */
export function mlpParameterCount(layers: readonly number[]): number {
  if (layers.length < 2) {
    throw new KernelError(
      'BAD_PARAMETER',
      `A network of ${layers.length} layers has nothing to learn.`,
      'Give the units of the input layer, any hidden layers, and the output layer.',
    );
  }
  let count = 0;
  for (const [index, units] of layers.entries()) {
    requireInteger(`layers[${index}]`, units, 1, 2 ** 20);
    if (index > 0) count += units * ((layers[index - 1] as number) + 1);
  }
  return requireInteger('The number of parameters', count, 1, 2 ** 28);
}

/**
 * Fresh parameters: weights uniform in ±sqrt(6 / (inputs + outputs)) of their layer (Glorot & Bengio
 * 2010), biases 0. The same seed gives the same network everywhere.
 *
 * @throws KernelError BAD_PARAMETER for the layers or a seed that is no integer of 0 or more
 */
export function initialiseMlp(layers: readonly number[], seed: number): Float64Array {
  const parameters = new Float64Array(mlpParameterCount(layers));
  const random = new RandomSource(seed);
  let offset = 0;
  for (let layer = 1; layer < layers.length; layer += 1) {
    const inputs = layers[layer - 1] as number;
    const outputs = layers[layer] as number;
    const reach = Math.sqrt(6 / (inputs + outputs));
    for (let i = 0; i < inputs * outputs; i += 1) {
      parameters[offset + i] = random.nextBetween(-reach, reach);
    }
    offset += outputs * (inputs + 1);
  }
  return parameters;
}

/**
 * Predictions (rows × outputs, row by row) for `inputs` (rows × layers[0]).
 *
 * @throws KernelError BAD_PARAMETER for the layers, LENGTH_MISMATCH for the arrays
 */
export function predictMlp(batch: Omit<MlpBatch, 'targets'>): Float64Array {
  const rows = requireBatch(batch);
  return forward(batch, rows).at(-1) as Float64Array;
}

/**
 * Loss and gradient of one batch.
 *
 * @throws KernelError BAD_PARAMETER for the layers, LENGTH_MISMATCH for the arrays, EMPTY_SERIES
 *   for a batch without rows
 */
export function mlpLossAndGradients(batch: MlpBatch): MlpGradients {
  const rows = requireBatch(batch);
  const { layers, parameters, targets } = batch;
  requireLength('targets', targets.length, rows * (layers.at(-1) as number));
  if (rows === 0) {
    throw new KernelError('EMPTY_SERIES', 'The batch has no rows.', 'Pass at least one row.');
  }
  const activations = forward(batch, rows);
  const predictions = activations.at(-1) as Float64Array;
  // `errors` holds the loss's derivative by each unit's weighted sum, from the last layer backwards.
  let errors = new Float64Array(targets.length);
  let loss = 0;
  for (let i = 0; i < targets.length; i += 1) {
    const error = (predictions[i] as number) - (targets[i] as number);
    loss += error * error;
    errors[i] = (2 * error) / targets.length;
  }
  const gradients = new Float64Array(parameters.length);
  let offset = parameters.length;
  for (let layer = layers.length - 1; layer > 0; layer -= 1) {
    const inputs = layers[layer - 1] as number;
    const outputs = layers[layer] as number;
    offset -= outputs * (inputs + 1);
    const below = activations[layer - 1] as Float64Array;
    addGradients(errors, below, rows, inputs, outputs, gradients, offset);
    if (layer > 1) errors = backward(errors, below, rows, inputs, outputs, parameters, offset);
  }
  return { loss: loss / targets.length, gradients, samples: rows };
}

/** Activations of every layer, the inputs included. */
function forward(batch: Omit<MlpBatch, 'targets'>, rows: number): Float64Array[] {
  const { layers, parameters } = batch;
  const activations = [batch.inputs];
  let offset = 0;
  for (let layer = 1; layer < layers.length; layer += 1) {
    const inputs = layers[layer - 1] as number;
    const outputs = layers[layer] as number;
    const below = activations[layer - 1] as Float64Array;
    const above = new Float64Array(rows * outputs);
    const biases = offset + outputs * inputs;
    const isHidden = layer < layers.length - 1;
    for (let row = 0; row < rows; row += 1) {
      for (let output = 0; output < outputs; output += 1) {
        let sum = parameters[biases + output] as number;
        const weights = offset + output * inputs;
        for (let input = 0; input < inputs; input += 1) {
          sum += (parameters[weights + input] as number) * (below[row * inputs + input] as number);
        }
        above[row * outputs + output] = isHidden ? Math.tanh(sum) : sum;
      }
    }
    activations.push(above);
    offset += outputs * (inputs + 1);
  }
  return activations;
}

function addGradients(
  errors: Float64Array,
  below: Float64Array,
  rows: number,
  inputs: number,
  outputs: number,
  gradients: Float64Array,
  offset: number,
): void {
  const biases = offset + outputs * inputs;
  for (let row = 0; row < rows; row += 1) {
    for (let output = 0; output < outputs; output += 1) {
      const error = errors[row * outputs + output] as number;
      const weights = offset + output * inputs;
      for (let input = 0; input < inputs; input += 1) {
        gradients[weights + input] =
          (gradients[weights + input] as number) + error * (below[row * inputs + input] as number);
      }
      gradients[biases + output] = (gradients[biases + output] as number) + error;
    }
  }
}

/** Carries the errors of a layer to the tanh layer below it. */
function backward(
  errors: Float64Array,
  below: Float64Array,
  rows: number,
  inputs: number,
  outputs: number,
  parameters: Float64Array,
  offset: number,
): Float64Array<ArrayBuffer> {
  const carried = new Float64Array(rows * inputs);
  for (let row = 0; row < rows; row += 1) {
    const base = row * inputs;
    for (let output = 0; output < outputs; output += 1) {
      const error = errors[row * outputs + output] as number;
      const weights = offset + output * inputs;
      for (let input = 0; input < inputs; input += 1) {
        carried[base + input] =
          (carried[base + input] as number) + error * (parameters[weights + input] as number);
      }
    }
    for (let input = 0; input < inputs; input += 1) {
      const activation = below[base + input] as number;
      carried[base + input] = (carried[base + input] as number) * (1 - activation * activation);
    }
  }
  return carried;
}

/** Checks layers, parameters and inputs; returns the number of rows. */
function requireBatch({ layers, parameters, inputs }: Omit<MlpBatch, 'targets'>): number {
  requireLength('parameters', parameters.length, mlpParameterCount(layers));
  const features = layers[0] as number;
  const rows = Math.floor(inputs.length / features);
  requireLength('inputs', inputs.length, rows * features);
  return rows;
}

function requireLength(name: string, actual: number, expected: number): void {
  if (actual === expected) return;
  throw new KernelError(
    'LENGTH_MISMATCH',
    `${name} has ${actual} values, but the layers need ${expected}.`,
    `Pass ${expected} values for ${name}.`,
  );
}
