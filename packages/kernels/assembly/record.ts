/** Reading and counting in the record of a scan; see layout.ts for its fields. */

export function pointer(scan: usize, field: usize): usize {
  return <usize>load<u32>(scan + field);
}

export function number(scan: usize, field: usize): i32 {
  return load<i32>(scan + field);
}

export function real(scan: usize, field: usize): f64 {
  return load<f64>(scan + field);
}

export function count(scan: usize, field: usize): void {
  store<i32>(scan + field, load<i32>(scan + field) + 1);
}

export function setReal(scan: usize, field: usize, value: f64): void {
  store<f64>(scan + field, value);
}
