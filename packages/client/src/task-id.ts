/** Names of tasks. */
import { randomUUID } from 'node:crypto';

/**
 * A new task id: a UUIDv7 (RFC 9562 §5.7), whose first 48 bits are the time in milliseconds, so that ids sort by age.
 * The rest is random; two ids of the same millisecond have no order.
 */
export function newTaskId(nowMs: number = Date.now()): string {
  const time = Math.floor(nowMs).toString(16).padStart(12, '0').slice(-12);
  // A random UUIDv4 has its variant bits and 122 random ones where a UUIDv7 needs them; Node draws them from a pool.
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
