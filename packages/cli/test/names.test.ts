import * as protocol from '@quic-swarm/protocol';
import { expect, it } from 'vitest';
import * as names from '../src/command-line/names.ts';

it('has the same names as the protocol', () => {
  expect(protocol).toMatchObject({ ...names });
});
