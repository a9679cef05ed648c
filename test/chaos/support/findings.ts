/**
 * What a case found out: figures beside what they should be. A property of safety (nothing lost, nothing twice, nothing
 * hangs, nothing wrong) holds or the case has failed. A goal (a time, a rate, a connection that need not be made anew) that
 * is not reached is missed: the machine may be busy, so the load is printed beside it and the reader judges.
 */
import { availableParallelism, loadavg } from 'node:os';

/** Which way a figure is bounded. Exactly one of the two. */
export type Bound = { readonly atMost: number } | { readonly atLeast: number };

/** One figure. */
export interface Finding {
  readonly kind: 'safety' | 'goal';
  /** What was measured, in words. */
  readonly property: string;
  readonly measured: string;
  readonly target: string;
  readonly isMet: boolean;
}

/** In which unit a figure is printed, and with how many digits. */
export interface FindingFormat {
  /** @default '' */
  readonly unit?: string;
  /** @default 0 */
  readonly digits?: number;
}

/** The figures of one case, in the order in which they were found. */
export class Findings {
  readonly all: Finding[] = [];
  readonly #say: (text: string) => void;

  /** @param say is told of each finding at once */
  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** A figure that has to be within its bound; NaN is not. */
  safety(property: string, value: number, bound: Bound, format: FindingFormat = {}): void {
    this.#add('safety', property, value, bound, format);
  }

  /** A figure that should be within its bound on a machine that has nothing else to do. */
  goal(
    property: string,
    value: number,
    bound: Bound,
    format: FindingFormat = { unit: 'ms' },
  ): void {
    this.#add('goal', property, value, bound, format);
  }

  get hasFailed(): boolean {
    return this.all.some(({ kind, isMet }) => kind === 'safety' && !isMet);
  }

  get hasMissed(): boolean {
    return this.all.some(({ kind, isMet }) => kind === 'goal' && !isMet);
  }

  #add(
    kind: Finding['kind'],
    property: string,
    value: number,
    bound: Bound,
    { unit = '', digits = 0 }: FindingFormat,
  ): void {
    const isMost = 'atMost' in bound;
    const limit = isMost ? bound.atMost : bound.atLeast;
    const isMet = isMost ? value <= limit : value >= limit;
    const withUnit = (figure: number): string =>
      `${figure.toFixed(digits)}${unit === '' ? '' : ` ${unit}`}`;
    const finding: Finding = {
      kind,
      property,
      measured: `${withUnit(value)}${kind === 'goal' && !isMet ? ` (load ${machineLoad()})` : ''}`,
      target: `${isMost ? '≤' : '≥'} ${withUnit(limit)}`,
      isMet,
    };
    this.all.push(finding);
    this.#say(`  ${finding.property}: ${finding.measured} [${finding.target}] ${wordOf(finding)}`);
  }
}

/** How busy the machine was in the last minute. */
export function machineLoad(): string {
  return `${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} cores`;
}

/** `ok`, or which kind of not. */
export function wordOf({ kind, isMet }: Finding): 'ok' | 'FAIL' | 'MISSED' {
  if (isMet) return 'ok';
  return kind === 'safety' ? 'FAIL' : 'MISSED';
}

/** The least value that a share `fraction` of the values does not exceed; NaN when there are none. */
export function quantileOf(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? NaN;
}

/** The largest value; NaN when there is none, which meets no bound. */
export function maximumOf(values: readonly number[]): number {
  return quantileOf(values, 1);
}
