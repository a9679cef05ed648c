/**
 * FNV-1a, 32 bits (Fowler, Noll, Vo; draft-eastlake-fnv). Tells two inputs apart that were submitted under one
 * idempotency key; a chance of one in four thousand million of a false "same" is enough against a mistake, and no
 * defence against malice is needed, since both come from whoever knows the key.
 */
export function hashBytes(bytes: Uint8Array | undefined): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes ?? []) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
