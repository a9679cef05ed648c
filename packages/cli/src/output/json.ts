/**
 * Values as JSON. Typed arrays become lists; what JSON has no word for (NaN, infinity: gaps and warm-ups) becomes
 * null; byte strings become base64.
 */

/** The JSON text of a result, on one line. */
export function toJson(value: unknown): string {
  return JSON.stringify(plain(value));
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'object' || value === null) return value;
  // JSON.stringify itself turns NaN and infinity into null.
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (ArrayBuffer.isView(value)) return [...numbersOf(value)];
  if (value instanceof Map) return plain(Object.fromEntries(value));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

function numbersOf(view: ArrayBufferView): Iterable<number> {
  if (view instanceof Float64Array || view instanceof Float32Array) return view;
  if (view instanceof Int32Array || view instanceof Uint32Array) return view;
  if (view instanceof Int16Array || view instanceof Uint16Array || view instanceof Int8Array) {
    return view;
  }
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Cuts a row-by-row square into its rows. */
export function rowsOfSquare(values: ArrayLike<number>, width: number): number[][] {
  return Array.from({ length: width }, (_, row) =>
    Array.from({ length: width }, (_, column) => values[row * width + column] ?? Number.NaN),
  );
}
