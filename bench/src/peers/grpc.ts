/** gRPC over TLS of @grpc/grpc-js, with messages of plain bytes: no protobuf on either side. */
import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { FIRST_MESSAGE, timeConnect } from './connect-times.ts';
import { addressOf, type Abilities, type Peer, type ProcessContext } from './contract.ts';

/** Bytes are sent as they are. */
export const asIs = (bytes: Buffer): Buffer => bytes;

/** A method whose messages are bytes. */
export function grpcMethod(path: string, requestStream: boolean, responseStream: boolean) {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

const ECHO_STREAM = '/bench/EchoStream';
const ECHO = '/bench/Echo';
const SINK = '/bench/Sink';

const service: ServiceDefinition = {
  echoStream: grpcMethod(ECHO_STREAM, true, true),
  echo: grpcMethod(ECHO, false, false),
  sink: grpcMethod(SINK, true, false),
};

const echoStream: handleBidiStreamingCall<Buffer, Buffer> = (call) => {
  call.on('data', (message: Buffer) => call.write(message));
  call.on('end', () => {
    call.end();
  });
};
const echo: handleUnaryCall<Buffer, Buffer> = (call, answer) => {
  answer(null, call.request);
};
const sink: handleClientStreamingCall<Buffer, Buffer> = (call, answer) => {
  call.on('data', () => undefined);
  call.on('end', () => {
    answer(null, Buffer.of(1));
  });
};

/** Of servers and clients. */
export const GRPC_OPTIONS = {
  'grpc.max_concurrent_streams': 20_000,
  'grpc.max_receive_message_length': -1,
  // A connection of its own for each client, as everybody here.
  'grpc.use_local_subchannel_pool': 1,
};
const CHUNK_BYTES = 64 * 1024;

export const peer: Peer = {
  packages: ['@grpc/grpc-js'],
  processes: [
    {
      name: 'server',
      async start({ identity }) {
        const server = new Server(GRPC_OPTIONS);
        server.addService(service, { echoStream, echo, sink });
        const pair = {
          private_key: Buffer.from(identity.privateKey),
          cert_chain: Buffer.from(identity.certificate),
        };
        const port = await new Promise<number>((resolve, reject) => {
          const tls = ServerCredentials.createSsl(null, [pair]);
          server.bindAsync('127.0.0.1:0', tls, (error, bound) => {
            if (error === null) resolve(bound);
            else reject(error);
          });
        });
        return {
          address: `127.0.0.1:${port}`,
          stop: () => {
            server.forceShutdown();
          },
        };
      },
    },
    {
      name: 'client',
      async start(context) {
        const client = await openGrpcClient(context, 'server');
        return {
          abilities: {
            ...abilitiesOf(client),
            connectCold: async () =>
              timeConnect(async () => {
                const connection = await openGrpcClient(context, 'server');
                return {
                  ask: async () => askGrpc(connection, FIRST_MESSAGE),
                  close: () => {
                    connection.close();
                  },
                };
              }),
          },
          stop: () => {
            client.close();
          },
        };
      },
    },
  ],
};

/** Connects to a process; resolves when the connection stands. */
export async function openGrpcClient(context: ProcessContext, process: string): Promise<Client> {
  const tls = credentials.createSsl(Buffer.from(context.identity.authority));
  const client = new Client(addressOf(context, process), tls, GRPC_OPTIONS);
  await new Promise<void>((resolve, reject) => {
    client.waitForReady(Date.now() + 5000, (error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
  return client;
}

function abilitiesOf(client: Client): Partial<Abilities> {
  return {
    openChannel: async () => {
      const call = client.makeBidiStreamRequest(ECHO_STREAM, asIs, asIs);
      const channel = {
        send: (message: Uint8Array) => {
          call.write(asBuffer(message));
        },
        onAnswers: (_count: number): void => undefined,
        close: () => {
          call.end();
        },
      };
      call.on('data', () => {
        channel.onAnswers(1);
      });
      return channel;
    },
    request: async (message) => askGrpc(client, message),
    sendOneWay: async (totalBytes) => sendOneWay(client, totalBytes),
    openTogether: async (count, message) => {
      const calls = await Promise.all(
        Array.from({ length: count }, async () => {
          const call = client.makeBidiStreamRequest(ECHO_STREAM, asIs, asIs);
          await new Promise<void>((resolve, reject) => {
            call.once('data', () => {
              resolve();
            });
            call.once('error', reject);
            call.write(asBuffer(message));
          });
          return call;
        }),
      );
      return {
        close: async () => {
          const ends = calls.map(
            async (call) =>
              new Promise<void>((resolve) => {
                call.once('end', resolve);
                call.end();
              }),
          );
          await Promise.all(ends);
        },
      };
    },
  };
}

/** One call. */
export async function askGrpc(client: Client, message: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    client.makeUnaryRequest(ECHO, asIs, asIs, asBuffer(message), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

async function sendOneWay(client: Client, totalBytes: number): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  await new Promise<void>((resolve, reject) => {
    const call = client.makeClientStreamRequest(SINK, asIs, asIs, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
    const send = async (): Promise<void> => {
      for (let bytesLeft = totalBytes; bytesLeft > 0; bytesLeft -= CHUNK_BYTES) {
        if (call.write(chunk)) continue;
        await new Promise<void>((goOn) => {
          call.once('drain', goOn);
        });
      }
      call.end();
    };
    send().catch(reject);
  });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
