/** Misuse of the native binding is stopped before it reaches Rust, where it would abort the process or go unseen. */
import { randomBytes } from 'node:crypto';
import { Type } from '@matrixai/quic/native/types.js';
import { describe, expect, it } from 'vitest';
import {
  assertConnectionId,
  assertHostPort,
  assertStreamId,
  assertWireCode,
  CONNECTION_ID_BYTES,
} from '../src/quic/arguments.ts';
import {
  createConfig,
  parseHeader,
  QuicheConnection,
  retryPacket,
  versionNegotiationPacket,
  type PacketHeader,
} from '../src/quic/binding.ts';
import { StreamGone } from '../src/quic/native-errors.ts';
import { refusalPacket } from '../src/quic/listener/refusal.ts';
import { authority, identity } from './quic-pair.ts';

const LOCAL = { host: '127.0.0.1', port: 1000 };
const REMOTE = { host: '127.0.0.1', port: 2000 };
const INTERNAL: unknown = expect.objectContaining({ type: 'INTERNAL' });
const BAD_OPTION: unknown = expect.objectContaining({ type: 'BAD_OPTION' });
const TLS = {
  verifyPeer: true,
  acceptUnverified: true,
  authority: undefined,
  identity: undefined,
  signatureAlgorithms: undefined,
} as const;

function connection(): QuicheConnection {
  const config = createConfig(TLS);
  const id = randomBytes(CONNECTION_ID_BYTES);
  const path = { local: LOCAL, remote: REMOTE };
  return QuicheConnection.connect('localhost', id, path, config, undefined);
}

describe('arguments of the binding', () => {
  it.each([Number.NaN, -1, 0.5, Infinity, 2 ** 60])('%s is no stream id', (id) => {
    expect(() => assertStreamId(id)).toThrow(INTERNAL);
    const quiche = connection();
    expect(() => quiche.streamSend(id, new Uint8Array(1), false)).toThrow(INTERNAL);
    expect(() => quiche.streamReceive(id, new Uint8Array(1))).toThrow(INTERNAL);
    expect(() => quiche.streamReadable(id)).toThrow(INTERNAL);
    expect(() => quiche.streamStopped(id)).toThrow(INTERNAL);
    expect(() => quiche.streamPriority(id, 1)).toThrow(INTERNAL);
    expect(() => quiche.createStream(id)).toThrow(INTERNAL);
    expect(() => {
      quiche.streamShutdown(id, 0);
    }).toThrow(INTERNAL);
  });

  it.each([0, 8, 19, 21, 30])('%s bytes are no connection id', (length) => {
    expect(() => assertConnectionId(new Uint8Array(length))).toThrow(INTERNAL);
    const id = new Uint8Array(length);
    const path = { local: LOCAL, remote: REMOTE };
    const config = createConfig(TLS);
    expect(() => QuicheConnection.connect('localhost', id, path, config, undefined)).toThrow(
      INTERNAL,
    );
    expect(() => QuicheConnection.accept(id, undefined, path, config, 1n)).toThrow(INTERNAL);
    expect(() => connection().offerConnectionId(id, 0n)).toThrow(INTERNAL);
  });

  it.each([Number.NaN, -1, 0.5, 2 ** 60])('%s is no wire code', (code) => {
    expect(() => assertWireCode(code)).toThrow(INTERNAL);
    expect(() => {
      connection().close(true, code, '');
    }).toThrow(INTERNAL);
  });

  it.each([Number.NaN, -1, 65_536, 1.5])('%s is no port', (port) => {
    expect(() => assertHostPort({ host: '127.0.0.1', port })).toThrow(INTERNAL);
  });

  it('empty buffers are refused or ignored', () => {
    const quiche = connection();
    expect(() => quiche.send(new Uint8Array(0))).toThrow(INTERNAL);
    expect(() => quiche.streamReceive(0, new Uint8Array(0))).toThrow(INTERNAL);
    expect(quiche.receive(new Uint8Array(0), { from: REMOTE, to: LOCAL })).toBe(false);
  });

  it.each([
    ['empty texts', { certificate: '', privateKey: '' }],
    ['texts that are no PEM', { certificate: 'x', privateKey: 'y' }],
    ['a broken PEM', { ...identity, certificate: identity.certificate.slice(0, 100) }],
    ['a key of somebody else', { ...identity, privateKey: authority.privateKey }],
  ])('%s are no identity', (_what, given) => {
    expect(() => createConfig({ ...TLS, identity: given })).toThrow(BAD_OPTION);
  });

  it('a text that is no PEM is no authority', () => {
    expect(() => createConfig({ ...TLS, authority: '' })).toThrow(BAD_OPTION);
  });
});

describe('answers of the binding', () => {
  it('are values where quiche throws', () => {
    const quiche = connection();
    expect(quiche.streamSend(0, new Uint8Array(1), false)).toBeInstanceOf(StreamGone);
    expect(quiche.streamReceive(4, new Uint8Array(1))).toBe('unknown');
    expect(quiche.createStream(0)).toBe(false);
    const nowhere = { host: 'not an address', port: 1 };
    expect(quiche.receive(randomBytes(100), { from: nowhere, to: LOCAL })).toBe(false);
    expect(quiche.peerError()).toBeUndefined();
    quiche.streamShutdown(0, 1);
    quiche.sendAckEliciting();
  });

  it('close twice', () => {
    const quiche = connection();
    quiche.close(false, 7, 'once');
    quiche.close(false, 8, 'again');
    expect(quiche.localError()).toEqual({ isApplication: false, code: 7, reason: 'once' });
  });

  it('no header is found in noise', () => {
    expect(parseHeader(new Uint8Array(0))).toBeUndefined();
    expect(parseHeader(Uint8Array.of(0xff, 1, 2))).toBeUndefined();
  });

  it('packets for clients with the longest ids do not throw', () => {
    const header: PacketHeader = {
      ty: Type.Initial,
      version: 1,
      dcid: new Uint8Array(255),
      scid: new Uint8Array(255),
    };
    expect(versionNegotiationPacket(header)?.length).toBeGreaterThan(510);
    expect(() => retryPacket(header, randomBytes(20), new Uint8Array(60))).not.toThrow();
    expect(refusalPacket({ ...header, version: 2 }, 'full')).toBeUndefined();
  });
});
