/**
 * Before the first test: looks for the oracles and says which are here. After the last one: says once more, where it is
 * read, what was not compared and how to get it. With ORACLES=all a missing one is a failure.
 */
import type { TestProject } from 'vitest/node';
import { findOracles, ORACLES, type Findings, type OracleName } from './oracles.ts';

declare module 'vitest' {
  interface ProvidedContext {
    oracles: Findings;
  }
}

export default function sayWhatIsThere(project: TestProject): () => void {
  const findings = findOracles();
  project.provide('oracles', findings);
  const missing: string[] = [];
  for (const [name, finding] of Object.entries(findings)) {
    const { title, compares, install } = ORACLES[name as OracleName];
    if (finding.isThere) {
      process.stderr.write(`oracle: ${title}: ${finding.version}\n`);
      continue;
    }
    missing.push(
      `NOT COMPARED: ${compares}\n  with ${title}\n  because: ${finding.reason}\n  to get it: ${install}\n`,
    );
  }
  const text = missing.join('');
  if (missing.length > 0 && process.env['ORACLES'] === 'all') {
    throw new Error(`Oracles are missing, and all were asked for.\n${text}`);
  }
  process.stderr.write(text);
  return () => {
    const count = Object.keys(ORACLES).length;
    process.stderr.write(
      missing.length === 0
        ? `oracle: all ${count} were here.\n`
        : `\noracle: ${missing.length} of ${count} WERE MISSING; their tests were skipped.\n${text}`,
    );
  };
}
