/** `swarm certs`: an authority of one's own, and what it signs. Keys are readable by their owner only. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertifiedKey } from '@quic-swarm/transport';
import { AGENT_ID_PATTERN } from '../command-line/names.ts';
import type { Command } from '../command-line/specification.ts';
import type { Values } from '../command-line/values.ts';
import { usageError } from '../output/command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { toJson } from '../output/json.ts';
import { readTextFile } from '../session/trust.ts';

/** What to create. */
export interface CertificateRequest {
  readonly folder: string;
  readonly hosts: readonly string[];
  readonly agents: readonly string[];
  readonly days: number;
}

/** Reads the options. @throws BAD_OPTION */
export function parseCertificateRequest(values: Values): CertificateRequest {
  const hosts = values.texts('host');
  const agents = values.texts('agent');
  for (const agent of agents) {
    if (!AGENT_ID_PATTERN.test(agent)) {
      throw usageError(
        `--agent "${agent}" is not an agent id.`,
        'Letters, digits, points, dashes and underscores; 64 at most.',
      );
    }
  }
  return {
    folder: values.text('FOLDER') ?? 'certs',
    hosts: hosts.length === 0 ? ['localhost', '127.0.0.1', '::1'] : hosts,
    agents: agents.length === 0 ? ['agent-1'] : agents,
    days: values.integer('days', { min: 1, max: 3650 }) ?? 365,
  };
}

/** `swarm certs create`. In a folder with an authority it adds what is missing. */
export const certsCreateCommand: Command = {
  async run(values, { terminal, json }) {
    const request = parseCertificateRequest(values);
    const { folder, hosts, agents } = request;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const files: string[] = [];
    for (const [name, pair] of await certified(request)) {
      files.push(...(await writePair(folder, name, pair)));
    }
    if (json) {
      terminal.printJson(toJson({ folder, files }));
      return EXIT.ok;
    }
    for (const file of files) terminal.print(file);
    terminal.note(nextSteps(folder, hosts[0] ?? 'localhost', agents[0] ?? 'agent-1'));
    return EXIT.ok;
  },
};

/** The certificates to write, by the names of their files. */
async function certified({
  folder,
  hosts,
  agents,
  days,
}: CertificateRequest): Promise<[string, CertifiedKey][]> {
  const { createAuthority, fingerprintOf, issueCertificate } =
    await import('@quic-swarm/transport');
  const known = await readPair(folder, 'ca');
  const authority =
    known === undefined
      ? createAuthority({ commonName: 'quic-swarm authority' })
      : { ...known, fingerprint: fingerprintOf(known.certificate) };
  const pairs: [string, CertifiedKey][] = known === undefined ? [['ca', authority]] : [];
  if ((await readPair(folder, 'server')) === undefined) {
    const server = issueCertificate(authority, {
      commonName: hosts[0] ?? 'localhost',
      hosts,
      uris: ['swarm://coordinator'],
      days,
      usage: 'server',
    });
    pairs.push(['server', server]);
  }
  for (const agent of agents) {
    const uris = [`swarm://agent/${agent}`];
    const options = { commonName: agent, uris, days, usage: 'client' } as const;
    pairs.push([agent, issueCertificate(authority, options)]);
  }
  return pairs;
}

/** A pair that is there already. */
async function readPair(
  folder: string,
  name: string,
): Promise<{ certificate: string; privateKey: string } | undefined> {
  try {
    return {
      certificate: await readFile(join(folder, `${name}.crt`), 'utf8'),
      privateKey: await readFile(join(folder, `${name}.key`), 'utf8'),
    };
  } catch {
    return undefined;
  }
}

/** `swarm certs show`. */
export const certsShowCommand: Command = {
  async run(values, { terminal, json }) {
    const { developmentFingerprint, fingerprintOf } = await import('@quic-swarm/transport');
    const path = values.text('FILE');
    const fingerprint =
      path === undefined
        ? developmentFingerprint(values.text('state-directory'))
        : fingerprintOf(await readTextFile(path, 'FILE'));
    if (fingerprint === undefined) {
      throw usageError(
        'There is no development certificate yet.',
        'The first coordinator makes it:  coordinator 127.0.0.1:5000',
      );
    }
    if (json) terminal.printJson(toJson({ fingerprint }));
    else terminal.print(fingerprint);
    return EXIT.ok;
  },
};

/** Never overwrites: what an authority signed is worthless once its key is gone. */
async function writePair(
  folder: string,
  name: string,
  { certificate, privateKey }: CertifiedKey,
): Promise<string[]> {
  const certificatePath = join(folder, `${name}.crt`);
  const keyPath = join(folder, `${name}.key`);
  await writeNew(certificatePath, certificate, 0o644);
  await writeNew(keyPath, privateKey, 0o600);
  return [certificatePath, keyPath];
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(path, text, { mode, flag: 'wx' });
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw usageError(
      isThere ? `${path} exists already.` : `${path} cannot be written: ${String(error)}`,
      'Name another folder, or move the old files away.',
    );
  }
}

function nextSteps(folder: string, host: string, agent: string): string {
  const own = `--certificate ${folder}/${agent}.crt --private-key ${folder}/${agent}.key`;
  return [
    'Next:',
    `  coordinator 0.0.0.0:5000 --certificate ${folder}/server.crt --private-key ${folder}/server.key --client-ca ${folder}/ca.crt`,
    `  agent ${host}:5000 ${agent} pattern --ca ${folder}/ca.crt ${own}`,
    `Keep ${folder}/ca.key away from both machines: whoever has it can let agents in.`,
  ].join('\n');
}
