/** The disk itself: a record of 512 bytes is written and made durable. Nothing that is durable can be faster. */
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Peer } from './contract.ts';

const RECORD = new Uint8Array(512).fill(1);

export const peer: Peer = {
  packages: [],
  processes: [
    {
      name: 'client',
      async start() {
        const folder = mkdtempSync(join(tmpdir(), 'quic-swarm-bench-'));
        const file = await open(join(folder, 'records'), 'a');
        return {
          abilities: {
            runTask: async () => {
              await file.write(RECORD);
              await file.datasync();
            },
          },
          stop: async () => {
            await file.close();
            rmSync(folder, { recursive: true, force: true });
          },
        };
      },
    },
  ],
};
