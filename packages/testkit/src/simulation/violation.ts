/** A rule that does not hold. */

/** Thrown by a checker, and caught by whoever runs the seed. */
export class Violation extends Error {
  /** The name of the rule. */
  readonly rule: string;
  /** Tasks and processes whose story shows how it came about. */
  readonly about: readonly string[];

  constructor(rule: string, sentence: string, about: readonly string[] = []) {
    super(sentence);
    this.name = 'Violation';
    this.rule = rule;
    this.about = about;
  }
}
