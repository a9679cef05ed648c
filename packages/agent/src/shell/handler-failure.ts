/** What a handler threw, as data that fits the schema of failures, whatever it was. */
import { toFailure, type Failure } from '@quic-swarm/protocol';

const HINT_LENGTH_MAX = 4096;
const TYPE_LENGTH_MAX = 64;

/**
 * Kernels do not know the protocol: their errors carry a stable `type` and a `hint`, and always mean that the input
 * cannot be computed. Every other error is tried again unless it says otherwise.
 */
export function handlerFailureOf(thrown: unknown): Failure {
  const { retryAfterMs, hint: _hint, ...failure } = toFailure(thrown, 'TASK_FAILED');
  if (!(thrown instanceof Error)) return failure;
  const said = thrown as { type?: unknown; hint?: unknown; retryable?: unknown };
  const isPause = retryAfterMs !== undefined && retryAfterMs >= 0 && retryAfterMs <= 1e12;
  const checked: Failure = {
    ...failure,
    type: failure.type === '' ? 'TASK_FAILED' : failure.type,
    // Users' errors may carry anything in this field, and only a plain no is a no.
    retryable: said.retryable !== false,
    ...(typeof said.hint === 'string' ? { hint: said.hint.slice(0, HINT_LENGTH_MAX) } : {}),
    ...(isPause ? { retryAfterMs } : {}),
  };
  if (thrown.name !== 'KernelError' || typeof said.type !== 'string') return checked;
  const type = said.type.slice(0, TYPE_LENGTH_MAX);
  return { ...checked, code: 'INVALID_ARGUMENT', type, retryable: false };
}
