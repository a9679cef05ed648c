import { formatAddress, parseAddress } from '@quic-swarm/transport';
import { describe, expect, it } from 'vitest';

const HINT: unknown = expect.stringContaining('HOST:PORT');

describe('addresses', () => {
  it.each([
    ['127.0.0.1:5000', { host: '127.0.0.1', port: 5000 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
    ['[2001:db8::1]:443', { host: '2001:db8::1', port: 443 }],
    ['coordinator.example:5000', { host: 'coordinator.example', port: 5000 }],
  ])('%s is read and written', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(address)).toBe(text);
  });

  it('may stand between spaces', () => {
    expect(parseAddress(' localhost:1 ')).toEqual({ host: 'localhost', port: 1 });
  });

  it.each([
    '',
    '5000',
    ':5000',
    'localhost',
    'localhost:',
    'localhost:port',
    'localhost:-1',
    'localhost:65536',
    '::1:5000',
    '[::1]',
    '[::1:5000',
    '[localhost]:5000',
    '[]:5000',
    '256.0.0.1:5000',
    '1.2.3:5000',
    '-host:5000',
    'ho st:5000',
    'http://localhost:5000',
    '127.0.0.1:5000:6000',
  ])('"%s" is refused with a hint', (text) => {
    const refused: unknown = expect.objectContaining({ type: 'BAD_ADDRESS', hint: HINT });
    expect(() => parseAddress(text)).toThrow(refused);
  });
});
