/** gRPC through one hop: a client, a relay that passes each call on, and the server that answers it. */
import {
  Server,
  ServerCredentials,
  type handleUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { askGrpc, asIs, GRPC_OPTIONS, grpcMethod, openGrpcClient } from './grpc.ts';
import type { Peer, ProcessContext } from './contract.ts';

const ECHO = '/bench/Echo';
const service: ServiceDefinition = { echo: grpcMethod(ECHO, false, false) };

export const peer: Peer = {
  packages: ['@grpc/grpc-js'],
  processes: [
    {
      name: 'server',
      start: async (context) =>
        serve(context, (call, answer) => {
          answer(null, call.request);
        }),
    },
    {
      name: 'relay',
      async start(context) {
        const next = await openGrpcClient(context, 'server');
        return serve(context, (call, answer) => {
          next.makeUnaryRequest(ECHO, asIs, asIs, call.request, (error, reply) => {
            answer(error, reply);
          });
        });
      },
    },
    {
      name: 'client',
      async start(context) {
        const client = await openGrpcClient(context, 'relay');
        const nothing = Buffer.alloc(0);
        return {
          abilities: { runTask: async () => askGrpc(client, nothing) },
          stop: () => {
            client.close();
          },
        };
      },
    },
  ],
};

async function serve({ identity }: ProcessContext, echo: handleUnaryCall<Buffer, Buffer>) {
  const server = new Server(GRPC_OPTIONS);
  server.addService(service, { echo });
  const pair = {
    private_key: Buffer.from(identity.privateKey),
    cert_chain: Buffer.from(identity.certificate),
  };
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]), (error, bound) => {
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
}
