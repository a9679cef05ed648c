/**
 * Texts that come again and again: names of tasks, agents and types. A text whose bytes were seen before is answered
 * as the very same string, without making, checking and hashing it anew; a task id crosses a process several times.
 *
 * A fixed number of places; a text has one place, by a hash of its bytes, and drives out what stood there. So whoever
 * sends many texts, or texts that meet in one place, makes this slower and nothing else: what is answered has been
 * compared byte by byte.
 */
import { textLengthAt, windowView } from './window.ts';

/** Makes the text of so many bytes of the window from `start`; undefined when it is not valid or not ASCII. */
export type MakeText = (start: number, length: number) => string | undefined;

/** Reads texts of one kind. */
export class TextCache {
  readonly #make: MakeText;
  readonly #bytesMax: number;
  readonly #mask: number;
  readonly #texts: (string | undefined)[];
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  /**
   * @param make asked for texts that are not kept
   * @param placesLog2 the logarithm of the number of places
   * @param bytesMax longer texts are not kept
   */
  constructor(make: MakeText, placesLog2: number, bytesMax: number) {
    this.#make = make;
    this.#bytesMax = bytesMax;
    const places = 2 ** placesLog2;
    this.#mask = places - 1;
    this.#texts = Array.from({ length: places }, () => undefined);
    this.#bytes = new Uint8Array(places * bytesMax);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** The text at `position`; undefined when it is not valid, not ASCII, longer than 255 or goes on behind `end`. */
  read(position: number, end: number): string | undefined {
    const length = textLengthAt(position, end);
    const start = position + (length < 0x18 ? 1 : 2);
    if (length < 4 || length > this.#bytesMax)
      return length < 0 ? undefined : this.#make(start, length);
    const place = this.#placeOf(start, length);
    const text = this.#texts[place];
    if (text?.length === length && this.#isAt(place * this.#bytesMax, start, length)) return text;
    const made = this.#make(start, length);
    if (made !== undefined) {
      this.#texts[place] = made;
      this.#keep(place * this.#bytesMax, start, length);
    }
    return made;
  }

  /** Four bytes at a time; the last four may overlap with those before. */
  #placeOf(start: number, length: number): number {
    const last = start + length - 4;
    let hash = length ^ windowView.getUint32(last);
    for (let at = start; at < last; at += 4) {
      hash = Math.imul(hash ^ windowView.getUint32(at), 0x9e37_79b1);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0x85eb_ca6b);
    return (hash ^ (hash >>> 13)) & this.#mask;
  }

  #keep(from: number, start: number, length: number): void {
    const last = length - 4;
    for (let at = 0; at < last; at += 4) {
      this.#view.setUint32(from + at, windowView.getUint32(start + at));
    }
    this.#view.setUint32(from + last, windowView.getUint32(start + last));
  }

  #isAt(from: number, start: number, length: number): boolean {
    const last = length - 4;
    for (let at = 0; at < last; at += 4) {
      if (this.#view.getUint32(from + at) !== windowView.getUint32(start + at)) return false;
    }
    return this.#view.getUint32(from + last) === windowView.getUint32(start + last);
  }
}
