/** Servers that are programs of their own: started on a free port of this machine, in a folder that is removed. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programPath } from '../harness/environment.ts';
import type { StartedProcess } from './contract.ts';

const READY_TIMEOUT_MS = 5000;
const RETRY_MS = 20;

/** Starts a program and waits until its port accepts connections. */
export async function startProgram(
  program: string,
  argumentsFor: (port: number, directory: string) => readonly string[],
): Promise<StartedProcess> {
  const path = programPath(program);
  if (path === undefined) throw new Error(`${program} is not installed.`);
  const directory = mkdtempSync(join(tmpdir(), 'quic-swarm-bench-'));
  const port = await freePort();
  const child = spawn(path, [...argumentsFor(port, directory)], {
    cwd: directory,
    stdio: 'ignore',
  });
  const end = (): void => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  };
  process.once('exit', end);
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`${program} ended with ${code}.`));
    });
  });
  // It ends when it is told to; only while it starts is that an error.
  ended.catch(() => undefined);
  await Promise.race([ended, accepting(port, program)]);
  return {
    address: `127.0.0.1:${port}`,
    programPids: child.pid === undefined ? [] : [child.pid],
    stop: end,
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

async function accepting(port: number, program: string): Promise<void> {
  const untilMs = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < untilMs) {
    if (await isAccepting(port)) return;
    await new Promise((resolve) => {
      setTimeout(resolve, RETRY_MS);
    });
  }
  throw new Error(`${program} did not accept connections within ${READY_TIMEOUT_MS} ms.`);
}

async function isAccepting(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
