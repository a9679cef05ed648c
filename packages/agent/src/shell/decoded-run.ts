/** A run whose input came encoded: it is decoded on another thread first, and can be stopped before it has begun. */
import { toFailure } from '@quic-swarm/protocol';
import type { RunListener, TaskRun } from './task-run.ts';

/**
 * Starts a run when its input is there. An input that cannot be decoded is how the run ended.
 * @param start called once, unless the run was stopped before or the input is bad
 */
export function runDecoded(
  decoding: Promise<Uint8Array | undefined>,
  start: (payload: Uint8Array | undefined) => TaskRun,
  listener: RunListener,
): TaskRun {
  let run: TaskRun | undefined;
  let isAborted = false;
  decoding.then(
    (payload) => {
      if (isAborted) listener.onEnded({ outcome: 'cancelled', computeMs: 0, usedArm: false });
      else run = start(payload);
    },
    (error: unknown) => {
      const { stack: _local, ...failure } = toFailure(error, 'BAD_ENCODING');
      listener.onEnded({ outcome: 'failed', failure, computeMs: 0, usedArm: false });
    },
  );
  return {
    abort: (graceMs) => {
      isAborted = true;
      run?.abort(graceMs);
    },
  };
}
