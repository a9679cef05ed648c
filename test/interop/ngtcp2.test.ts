/**
 * ngtcp2's command-line client (Debian: ngtcp2-client), an implementation that shares no code with ours, as a client of
 * our listener. It speaks HTTP/3, so the listener answers with the few bytes of HTTP/3 that make a response.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  createQuicTransport,
  createSelfSignedCertificate,
  type Connection,
  type ListenerLimits,
} from '@quic-swarm/transport';
import { expect, it, onTestFinished } from 'vitest';

const PROGRAM = 'gtlsclient';
const isInstalled = spawnSync(PROGRAM, ['--help']).error === undefined;
const identity = createSelfSignedCertificate({ commonName: 'localhost', hosts: ['localhost'] });
const BODY = 'bytes of another implementation';

/** RFC 9114 §7.2: a HEADERS frame with `:status: 200` (entry 25 of RFC 9204's table), and a DATA frame. */
const RESPONSE = Buffer.concat([
  Buffer.from('01030000d9', 'hex'),
  Buffer.from([0, BODY.length]),
  Buffer.from(BODY),
]);

interface Case {
  readonly name: string;
  readonly options?: readonly string[];
  readonly limits?: Partial<ListenerLimits>;
  /** What its log says besides. */
  readonly says: string;
}

const CASES: readonly Case[] = [
  { name: 'at once', says: 'QUIC handshake has been confirmed' },
  {
    name: 'after a Retry',
    limits: { halfOpenBeforeRetry: 0 },
    says: 'type=Retry',
  },
  {
    name: 'after it was told our version',
    options: ['--version=0x1a2a3a4a', '--preferred-versions=v1'],
    says: 'type=VN',
  },
];

it.each(CASES)('ngtcp2 connects $name and gets an answer', async ({ options, limits, says }) => {
  if (!isInstalled) {
    console.warn(
      `NOT TESTED: ${PROGRAM} is not installed (Debian: apt-get install ngtcp2-client).`,
    );
    return;
  }
  const accepted: Connection[] = [];
  const listener = await createQuicTransport({
    server: identity,
    alpn: 'h3',
    ...(limits === undefined ? {} : { limits }),
  }).listen({
    address: { host: '127.0.0.1', port: 0 },
    onConnection: (connection) => {
      accepted.push(connection);
      connection.onStream = (stream) => {
        stream.onData = () => undefined;
        stream.onError = () => undefined;
        stream.onEnd = () => {
          stream.write(RESPONSE);
          stream.end();
        };
      };
    },
  });
  onTestFinished(async () => listener.close());
  const log = await runClient([
    '--exit-on-first-stream-close',
    ...(options ?? []),
    listener.address.host,
    `${listener.address.port}`,
    'https://localhost/',
  ]);
  expect(log).toContain('[:status: 200]');
  expect(log).toContain(`http: stream 0x0 body ${BODY.length} bytes`);
  expect(log).toContain(says);
  // RFC 9114 §8.1: it leaves with H3_NO_ERROR.
  expect(await accepted[0]?.closed).toMatchObject({ by: 'peer', wireCode: 0x100 });
});

/** Runs the client to its end; what it says on both outputs. */
async function runClient(args: readonly string[]): Promise<string> {
  const client = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => {
    client.kill('SIGKILL');
  });
  let log = '';
  for (const output of [client.stdout, client.stderr]) {
    output.setEncoding('latin1').on('data', (text: string) => {
      log += text;
    });
  }
  await once(client, 'close');
  return log;
}
