/**
 * How far an arm has come. One arm is adopted (the incumbent), at most one is in a canary, all others are watched or
 * were rolled back.
 *
 * | from         | to           | when                                                                             |
 * | ------------ | ------------ | -------------------------------------------------------------------------------- |
 * | `watching`   | `canary10`   | its e-process reached K/α, or a person forced it                                 |
 * | `canary10`   | `canary50`   | this stage's evidence is strong, or enough pairs passed with a mean above 0      |
 * | `canary10`   | `rolledBack` | this stage's evidence speaks against it, too many pairs passed, or it was taken back |
 * | `canary10`   | `watching`   | a change was detected: what spoke for it may not be true any more                |
 * | `canary50`   | `adopted`    | as from `canary10` to `canary50`                                                 |
 * | `canary50`   | `rolledBack` | as from `canary10`                                                               |
 * | `canary50`   | `watching`   | a change was detected                                                            |
 * | `rolledBack` | `canary10`   | its new e-process reached 10ⁿ·K/α after n rollbacks, or a person forced it        |
 * | `rolledBack` | `watching`   | a change was detected, or another arm was adopted: the comparison is a new one   |
 * | `adopted`    | `watching`   | another arm was adopted                                                          |
 */
export const STANDINGS = ['watching', 'canary10', 'canary50', 'adopted', 'rolledBack'] as const;
export type Standing = (typeof STANDINGS)[number];

/** Where an arm may go from where it stands: the table above. */
export const LEGAL_TRANSITIONS: Readonly<Record<Standing, readonly Standing[]>> = {
  watching: ['canary10'],
  canary10: ['canary50', 'rolledBack', 'watching'],
  canary50: ['adopted', 'rolledBack', 'watching'],
  rolledBack: ['canary10', 'watching'],
  adopted: ['watching'],
};
