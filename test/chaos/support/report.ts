/** The table at the end of a run. */
import { wordOf, type Finding } from './findings.ts';

/** What became of a case. */
export type Verdict = 'PASS' | 'MISSED' | 'FAIL' | 'SKIPPED';

/** A case that was run, or was not. */
export interface CaseResult {
  readonly name: string;
  readonly verdict: Verdict;
  readonly seconds: number;
  readonly findings: readonly Finding[];
  /** Why it was skipped or broke off. */
  readonly why: string | undefined;
}

/** The table: one row per figure, a line per case above its rows. */
export function tableOf(results: readonly CaseResult[]): string {
  const rows = results.flatMap(({ findings }) => findings);
  const widthOf = (cell: (finding: Finding) => string): number =>
    Math.max(0, ...rows.map((finding) => cell(finding).length));
  const propertyWidth = widthOf(({ property }) => property);
  const measuredWidth = widthOf(({ measured }) => measured);
  const targetWidth = widthOf(({ target }) => target);
  const lines = results.flatMap(({ name, verdict, seconds, findings, why }) => [
    `${verdict.padEnd(8)}${name} (${seconds.toFixed(0)} s)${why === undefined ? '' : `: ${why}`}`,
    ...findings.map((finding) =>
      [
        `  ${finding.kind.padEnd(7)}`,
        finding.property.padEnd(propertyWidth),
        finding.measured.padStart(measuredWidth),
        finding.target.padStart(targetWidth),
        wordOf(finding),
      ].join('  '),
    ),
  ]);
  return lines.join('\n');
}
