#!/usr/bin/env node
import { existsSync } from 'node:fs';

const program = new URL('../dist/bin/swarm.js', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  process.stderr.write('error: quic-swarm is not built.\n  Run: npm run build\n');
  process.exitCode = 70;
}
