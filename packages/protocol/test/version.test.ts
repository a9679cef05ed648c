import { expect, test } from 'vitest';
import { ALPN, PROTOCOL_MAX, PROTOCOL_MIN, negotiateVersion } from '../src/index.ts';
import { refusal } from './support/refusals.ts';

test.each([
  ['the same range', PROTOCOL_MIN, PROTOCOL_MAX, PROTOCOL_MAX],
  ['a newer peer that still speaks our newest', PROTOCOL_MAX, PROTOCOL_MAX + 3, PROTOCOL_MAX],
  ['a peer that speaks everything', 1, 1000, PROTOCOL_MAX],
])(
  '%s agrees on the newest version that both speak',
  (_name, protocolMin, protocolMax, version) => {
    expect(negotiateVersion({ protocolMin, protocolMax })).toBe(version);
  },
);

test.each([
  ['a peer that is too new', PROTOCOL_MAX + 1, PROTOCOL_MAX + 3],
  ['a peer that is too old', PROTOCOL_MIN - 1, PROTOCOL_MIN - 1],
  ['a range that ends before it begins', PROTOCOL_MAX + 1, PROTOCOL_MAX],
])('%s is refused, with both ranges and what to do', (_name, protocolMin, protocolMax) => {
  const why = refusal('VERSION_MISMATCH', () => negotiateVersion({ protocolMin, protocolMax }));
  expect(why).toContain(`${protocolMin} to ${protocolMax}`);
  expect(why).toContain('same release');
});

test('the name in the TLS handshake is fixed', () => {
  expect(ALPN).toBe('neural-trader-quic');
});
