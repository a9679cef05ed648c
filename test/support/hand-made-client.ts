/** A client that a test makes by hand: it opens the streams that the test wants and reads them when the test wants. */
import {
  MessageReader,
  encodeFrame,
  errorTypeOfWireCode,
  type BodyOf,
  type Message,
  type MessageOf,
  type MessageType,
} from '@quic-swarm/protocol';
import type { TestSwarm } from '@quic-swarm/testkit';
import { parseAddress, type Connection, type Stream } from '@quic-swarm/transport';

/** See the head of this file. */
export class HandMadeClient {
  readonly connection: Connection;
  /** Messages that were read on any stream and not taken by `next`. */
  readonly heard: Message[] = [];
  readonly #control: Stream;
  #wake: () => void = () => undefined;

  private constructor(connection: Connection, control: Stream) {
    this.connection = connection;
    this.#control = control;
    this.read(control);
  }

  /** Connects and is accepted. */
  static async join(swarm: TestSwarm): Promise<HandMadeClient> {
    const connection = await swarm.transport.connect(parseAddress(swarm.address));
    const client = new HandMadeClient(connection, await connection.openStream());
    const handshake = { protocolMin: 1, protocolMax: 1, clientName: 'hand-made' };
    client.say({ type: 'ClientHandshake', body: handshake });
    await client.next('ClientAck');
    return client;
  }

  /** Says something on the control stream. */
  say(message: Message): void {
    this.#control.write(encodeFrame(message));
  }

  /** Stops to read the control stream. */
  holdControl(): void {
    this.#control.pause();
  }

  /** Opens a stream and says something on it. Its answers are not read. */
  async open(
    purpose: BodyOf<'StreamOpen'>['purpose'],
    messages: readonly Message[] = [],
  ): Promise<Stream> {
    const stream = await this.connection.openStream();
    stream.onError = () => undefined;
    for (const message of [{ type: 'StreamOpen', body: { purpose } } as const, ...messages]) {
      stream.write(encodeFrame(message));
    }
    return stream;
  }

  /** Reads a stream from now on. */
  read(stream: Stream): void {
    const reader = new MessageReader({
      onMessage: (message) => {
        if (message.type === 'StreamOpen') return;
        this.heard.push(message);
        this.#wake();
      },
    });
    stream.onError = () => undefined;
    stream.onData = (bytes) => {
      reader.push(bytes);
    };
    stream.resume();
  }

  /** The next message of one of these types, heard already or later; each is handed out once. */
  async next<T extends MessageType>(...types: readonly T[]): Promise<MessageOf<T>> {
    for (;;) {
      const index = this.heard.findIndex(({ type }) => (types as readonly string[]).includes(type));
      if (index >= 0) return this.heard.splice(index, 1)[0] as unknown as MessageOf<T>;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The error type behind the close code of the peer; what `by` says where another side ended the connection. */
  async ending(): Promise<string | undefined> {
    const { by, wireCode } = await this.connection.closed;
    return by === 'peer' ? errorTypeOfWireCode(wireCode) : by;
  }
}

/** Resolves when the first bytes of a stream have come; the rest is held back. */
export async function begins(stream: Stream): Promise<'began'> {
  return new Promise((resolve) => {
    stream.onData = () => {
      stream.pause();
      resolve('began');
    };
  });
}
