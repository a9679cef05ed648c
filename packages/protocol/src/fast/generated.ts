/** Functions made from source text, and the values that the text refers to by name. */

/** Collects the values that generated source uses. */
export class Externals {
  readonly #names: string[] = [];
  readonly #values: unknown[] = [];

  constructor(values: Readonly<Record<string, unknown>>) {
    for (const [name, value] of Object.entries(values)) this.#push(name, value);
  }

  /** Gives a value a name of its own. */
  add(value: unknown): string {
    const name = `external${this.#names.length}`;
    this.#push(name, value);
    return name;
  }

  /** The function that `source`, an expression, stands for. Throws where a page forbids to make code from text. */
  evaluate(source: string): unknown {
    const make = Reflect.construct(Function, [
      ...this.#names,
      `'use strict'; return ${source};`,
    ]) as (...values: readonly unknown[]) => unknown;
    return make(...this.#values);
  }

  #push(name: string, value: unknown): void {
    this.#names.push(name);
    this.#values.push(value);
  }
}
