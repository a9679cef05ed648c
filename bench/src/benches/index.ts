/** All benches, by the word that starts them. */
import type { Bench } from '../harness/model.ts';
import { connect } from './connect.ts';
import { dispatch } from './dispatch.ts';
import { durable } from './durable.ts';
import { indicators } from './indicators.ts';
import { kernels } from './kernels.ts';
import { reasoning } from './reasoning.ts';
import { shards } from './shards.ts';
import { streams } from './streams.ts';
import { transport } from './transport.ts';

export const benches: readonly Bench[] = [
  transport,
  streams,
  connect,
  dispatch,
  durable,
  kernels,
  shards,
  indicators,
  reasoning,
];
