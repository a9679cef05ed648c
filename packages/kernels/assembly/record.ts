/** Reading and counting in the record of a scan; see layout.ts for its fields. */
import { JUDGED, PAIR_BYTES } from './layout';

export function pointer(scan: usize, field: usize): usize {
  return <usize>load<u32>(scan + field);
}

export function number(scan: usize, field: usize): i32 {
  return load<i32>(scan + field);
}

export function count(scan: usize, field: usize): void {
  store<i32>(scan + field, load<i32>(scan + field) + 1);
}

export function judgedAt(scan: usize, position: i32): usize {
  const pair = <usize>(position >> 1);
  return pointer(scan, JUDGED) + pair * PAIR_BYTES + ((<usize>(position & 1)) << 3);
}
