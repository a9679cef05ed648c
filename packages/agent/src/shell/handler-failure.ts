/** What a handler threw, as data. */
import { toFailure, type Failure } from '@quic-swarm/protocol';

/**
 * Kernels do not know the protocol: their errors carry a stable `type` and a `hint`, and always mean that the input
 * cannot be computed. Every other error is tried again unless it says otherwise.
 */
export function handlerFailureOf(thrown: unknown): Failure {
  const failure = toFailure(thrown, 'TASK_FAILED');
  if (!(thrown instanceof Error)) return failure;
  const { type, hint, retryable } = thrown as {
    type?: unknown;
    hint?: unknown;
    retryable?: unknown;
  };
  const hinted = typeof hint === 'string' ? { ...failure, hint: hint.slice(0, 4096) } : failure;
  if (thrown.name === 'KernelError' && typeof type === 'string') {
    return { ...hinted, code: 'INVALID_ARGUMENT', type: type.slice(0, 64), retryable: false };
  }
  return retryable === false ? { ...hinted, retryable: false } : hinted;
}
