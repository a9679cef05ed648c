/** Arms of a search for analogues, as the experiment on real series has them. */
import type { Tunable } from '../../src/index.ts';

export const searchArms: Tunable = {
  taskType: 'PatternMatch',
  arms: [5, 10, 20, 40].flatMap((window) =>
    [false, true].flatMap((zNormalise) => [5, 30].map((k) => ({ window, zNormalise, k }))),
  ),
  freeParameters: ['k'],
};
