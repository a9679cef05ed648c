/** What the agents of a run compute: the file of `--handlers`. */
import type { TaskHandler } from '@quic-swarm/agent';
import {
  answerTo,
  valuesOf,
  type PoisonInput,
  type StreamInput,
  type WorkInput,
} from '../support/work.ts';
import { note } from './journal-writer.ts';

const cell = new Int32Array(new SharedArrayBuffer(4));

const work: TaskHandler<WorkInput, number> = ({ number, computeMs }, { attempt }) => {
  note('start', number, attempt);
  // Blocks the thread as computing does, and leaves the processor to the others.
  if (computeMs > 0) Atomics.wait(cell, 0, 0, computeMs);
  note('end', number);
  return answerTo(number);
};

const poison: TaskHandler<PoisonInput> = ({ number, kills }) => {
  note('start', number);
  if (kills === 'process') process.kill(process.pid, 'SIGKILL');
  // In a worker thread this ends the thread.
  process.exit(1);
};

/** Parts in order, then a result that is the same numbers once more. */
const stream: TaskHandler<StreamInput, Float64Array> = ({ number, parts, numbers }, { emit }) => {
  note('start', number);
  for (let part = 0; part < parts; part += 1) {
    emit({ part, values: valuesOf(number + part, numbers) });
  }
  note('end', number);
  return valuesOf(number, numbers * parts);
};

export default { 'chaos.work': work, 'chaos.poison': poison, 'chaos.stream': stream };
