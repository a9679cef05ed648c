/** `Atomics.waitAsync`, which is ES2024 and in Node since 16; the library that this project compiles against ends one year before. */
interface AtomicsWithWaitAsync {
  waitAsync<T extends Int32Array | BigInt64Array>(
    cells: T,
    index: number,
    value: T[number],
  ): { readonly async: boolean; readonly value: Promise<string> | string };
}

/** Those of this runtime. */
export const atomics = Atomics as unknown as AtomicsWithWaitAsync;
