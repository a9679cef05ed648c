/**
 * Payloads on one connection: encoded on their way out where both sides agreed on it and it pays, passed on as they
 * are where they came encoded, decoded where the receiver could not. Knows nothing about streams and requests.
 */
import {
  ENCODED_PAYLOAD_BYTES_MIN,
  PAYLOAD_ENCODINGS,
  checkEncoding,
  encodingOf,
  payloadOf,
  withPayload,
  type BodyOf,
  type Message,
  type CompressionMode,
} from '@quic-swarm/protocol';
import type { Connection, Stream } from '../contract.ts';
import { deflateLater, deflateNow, inflateLater, inflateNow, sampledRatio } from './deflate.ts';
import { CompressionJudge, INSTANT_BYTES_MAX, type Link } from './judge.ts';
import { LinkMeter } from './link-meter.ts';

const ENCODING = PAYLOAD_ENCODINGS[0];

/** The feature that a coordinator names when it decodes payloads. */
const FEATURE = 'compression';

/** Encoding that saves less is not worth the decoding. */
const KEPT_RATIO_MAX = 0.95;

/** What the processes of this machine can do is learnt once for all connections. */
const sharedJudge = new CompressionJudge();

/** See the head of this file. */
export class PayloadCoder {
  readonly #connection: Connection;
  readonly #mode: CompressionMode;
  readonly #judge: CompressionJudge;
  readonly #meter: LinkMeter;
  readonly #isLocal: boolean;
  #mayReceive: boolean;
  #maySend = false;

  constructor(
    connection: Connection,
    mode: CompressionMode,
    judge: CompressionJudge = sharedJudge,
  ) {
    this.#connection = connection;
    this.#mode = mode;
    this.#judge = judge;
    this.#meter = new LinkMeter(connection);
    this.#isLocal = isLocal(connection);
    // What a coordinator decodes, its acknowledgement says; a joining side has to say it first.
    this.#mayReceive = connection.side === 'server' && mode !== 'never';
  }

  /** Joining side, when the acknowledgement is there: what it answers, where anything is to be agreed on. */
  agree(featuresOffered: readonly string[]): Message | undefined {
    if (this.#mode === 'never' || !featuresOffered.includes(FEATURE)) return undefined;
    this.#mayReceive = true;
    this.#maySend = true;
    return { type: 'EncodingOffer', body: { encodings: [...PAYLOAD_ENCODINGS] } };
  }

  /** Coordinator: the joining side has said what it decodes. */
  accept({ encodings }: BodyOf<'EncodingOffer'>): void {
    this.#maySend = this.#mode !== 'never' && encodings.includes(ENCODING);
  }

  /** Call with each whole message. @throws BAD_ENCODING, BAD_MESSAGE, PAYLOAD_TOO_LARGE */
  check(message: Message, decodedBytesMax: number): void {
    if (encodingOf(message) === undefined) return;
    checkEncoding(message, this.#mayReceive, decodedBytesMax);
  }

  /**
   * The message as the peer should get it; a promise where that takes another thread, which is only so for payloads
   * over 64 KiB. Throws or rejects with BAD_ENCODING where it came encoded and cannot be decoded for the peer.
   */
  outgoing<M extends Message>(message: M): M | Promise<M> {
    const payload = payloadOf(message);
    if (payload === undefined) return message;
    if (encodingOf(message) !== undefined) return this.#maySend ? message : decoded(message);
    if (!this.#maySend || payload.length < ENCODED_PAYLOAD_BYTES_MIN) return message;
    const kind = kindOf(message);
    if (!this.#isWanted(kind, payload)) return message;
    if (payload.length > INSTANT_BYTES_MAX) return this.#encodeLater(message, payload, kind);
    return this.#encoded(message, payload, deflateNow(payload), kind);
  }

  /** Carries out the write of a long message and learns how fast the link is. Settles as the write does. */
  async measured(stream: Stream, bytes: number, write: () => Promise<void>): Promise<void> {
    return this.#mode === 'auto' ? this.#meter.measure(stream, bytes, write) : write();
  }

  #isWanted(kind: string, payload: Uint8Array): boolean {
    if (this.#mode === 'always') return true;
    const link = this.#link();
    const judgement = this.#judge.judge(kind, payload.length, link);
    // A short payload is its own sample.
    if (judgement !== 'sample' || payload.length <= INSTANT_BYTES_MAX) {
      return judgement !== 'plain';
    }
    const ratio = sampledRatio(payload);
    this.#judge.noteRatio(kind, ratio);
    return this.#judge.pays(payload.length, ratio, link);
  }

  #link(): Link {
    const { bytesPerMs } = this.#meter;
    const isLocalLink = this.#isLocal;
    // Asking the transport costs more than all the rest, and only the first guess needs it.
    const isAsked = !isLocalLink && bytesPerMs === undefined;
    const roundTripMs = isAsked ? this.#connection.statistics().roundTripMs : 0;
    return { isLocal: isLocalLink, roundTripMs, bytesPerMs };
  }

  async #encodeLater<M extends Message>(message: M, payload: Uint8Array, kind: string): Promise<M> {
    this.#judge.encodingBegan(performance.now());
    try {
      return this.#encoded(message, payload, await deflateLater(payload), kind);
    } finally {
      this.#judge.encodingEnded(payload.length, performance.now());
    }
  }

  #encoded<M extends Message>(
    message: M,
    payload: Uint8Array,
    encoded: Uint8Array,
    kind: string,
  ): M {
    const ratio = encoded.length / payload.length;
    this.#judge.noteRatio(kind, ratio);
    if (ratio >= (this.#mode === 'always' ? 1 : KEPT_RATIO_MAX)) return message;
    return withPayload(message, encoded, { name: ENCODING, decodedBytes: payload.length });
  }
}

/** The message with its payload plain. Throws or rejects with BAD_ENCODING; check the message first. */
export function decoded<M extends Message>(message: M): M | Promise<M> {
  const encoding = encodingOf(message);
  const payload = payloadOf(message);
  if (encoding === undefined || payload === undefined) return message;
  const { decodedBytes } = encoding;
  if (decodedBytes <= INSTANT_BYTES_MAX) {
    return withPayload(message, inflateNow(payload, decodedBytes));
  }
  return inflateLater(payload, decodedBytes).then((plain) => withPayload(message, plain));
}

/**
 * Hands a message on with its payload plain, at once where that takes no other thread.
 * @param unreadable what is handed on instead where the payload cannot be decoded
 */
export function deliverDecoded<M extends Message>(
  message: M,
  deliver: (message: M) => void,
  unreadable: (message: M, error: unknown) => M,
): void {
  let plain: M | Promise<M>;
  try {
    plain = decoded(message);
  } catch (error) {
    plain = unreadable(message, error);
  }
  if (plain instanceof Promise) {
    void plain.catch((error: unknown) => unreadable(message, error)).then(deliver);
  } else {
    deliver(plain);
  }
}

/** Payloads of one kind shrink alike. */
function kindOf({ type, body }: Message): string {
  if ('taskType' in body) return `${type} ${body.taskType}`;
  if ('resultType' in body) return `${type} ${body.resultType}`;
  return 'mediaType' in body ? `${type} ${body.mediaType}` : type;
}

function isLocal({ localAddress, remoteAddress }: Connection): boolean {
  const { host } = remoteAddress;
  return host === localAddress.host || host === '::1' || /^(?:::ffff:)?127\./u.test(host);
}
