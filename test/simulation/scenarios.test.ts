/**
 * Scenarios with their transcripts: each is run again, and must show what it showed before. After a change that is meant,
 * `UPDATE_SCENARIOS=1 npx vitest run test/simulation/scenarios.test.ts` writes them anew; read the difference.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runScenario } from '@quic-swarm/testkit';
import { describe, expect, it } from 'vitest';

const FOLDER = join(import.meta.dirname, 'scenarios');
const isUpdate = process.env['UPDATE_SCENARIOS'] === '1';

describe('the scenario', () => {
  it.each(readdirSync(FOLDER))('%s happens as it is written down', (name) => {
    const path = join(FOLDER, name);
    const written = readFileSync(path, 'utf8');
    const seen = runScenario(written);
    if (isUpdate) writeFileSync(path, seen);
    else expect(seen).toBe(written);
  });
});
