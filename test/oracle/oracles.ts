/** The oracles: what each is compared with, how to find out whether it is here, and how to get it. */
import { existsSync, readFileSync } from 'node:fs';
import { runProgram, tryProgram } from './programs.ts';

/** Where an oracle was found, or why it was not. */
export type Finding =
  | { readonly isThere: true; readonly version: string; readonly program: string }
  | { readonly isThere: false; readonly reason: string };

interface Oracle {
  readonly title: string;
  readonly compares: string;
  readonly install: string;
  readonly find: () => Finding;
}

/** The daily bars of the S&P 500 from 2000 to 2020, as a path from the root of the repository. */
export const SP500_FILE = 'test/oracle/node_modules/vega-datasets/data/sp500-2000.csv';

/** The script that answers questions with numpy and scipy. */
export const SCIPY_SCRIPT = new URL('scipy-oracle.py', import.meta.url).pathname;

const PACKAGES =
  'npm run test:oracle (which runs npm ci in test/oracle/, so it needs the registry once)';

export const ORACLES = {
  scipy: {
    title: 'numpy and scipy',
    compares:
      'correlations, ranks, shrinkage, rolling correlation, SAX, DTW, LCSS, LCS and pattern searches',
    install: 'apt-get install python3-scipy, or set PYTHON to a Python that has scipy',
    find: findScipy,
  },
  ttr: {
    title: "R's TTR",
    compares: 'all indicators',
    install: 'apt-get install r-cran-ttr',
    find: () => findRPackage('TTR'),
  },
  corpcor: {
    title: "R's corpcor",
    compares: 'the estimated shrinkage, by the authors of the estimate',
    install: 'apt-get install r-cran-corpcor',
    find: () => findRPackage('corpcor'),
  },
  dtw: {
    title: 'npm dtw',
    compares: 'DTW distances',
    install: PACKAGES,
    find: () => findPackage('dtw'),
  },
  midstreamer: {
    title: 'npm midstreamer',
    compares: 'longest common subsequences of symbols',
    install: PACKAGES,
    find: () => findPackage('midstreamer'),
  },
  sp500: {
    title: 'the S&P 500 of npm vega-datasets',
    compares: 'recorded searches, correlations and indicators of the S&P 500 (data, not an oracle)',
    install: PACKAGES,
    find: () => findPackage('vega-datasets'),
  },
} as const satisfies Record<string, Oracle>;

export type OracleName = keyof typeof ORACLES;
export type Findings = Readonly<Record<OracleName, Finding>>;

/** Looks for all of them. */
export function findOracles(): Findings {
  const entries = Object.entries(ORACLES).map(([name, oracle]) => [name, oracle.find()]);
  return Object.fromEntries(entries) as Findings;
}

function findScipy(): Finding {
  // The first `python3` on a path is often one of its own, without the system's packages.
  const wanted = process.env['PYTHON'];
  const programs = wanted === undefined ? ['/usr/bin/python3', 'python3'] : [wanted];
  const reasons: string[] = [];
  for (const program of programs) {
    const end = tryProgram(program, [SCIPY_SCRIPT, '{"version":true}']);
    if (end.isThere && end.succeeded) {
      const { version } = JSON.parse(end.stdout) as { version: string };
      return { isThere: true, version: `${version} of ${program}`, program };
    }
    const said = end.isThere
      ? (end.stderr.trim().split('\n').at(-1) ?? 'it fails')
      : 'not installed';
    reasons.push(`${program}: ${said}`);
  }
  return { isThere: false, reason: reasons.join('; ') };
}

function findRPackage(name: string): Finding {
  const isThere = `cat(requireNamespace("${name}", quietly = TRUE))`;
  const answer = tryProgram('Rscript', ['--vanilla', '-e', isThere]);
  if (!answer.isThere) return { isThere: false, reason: 'Rscript is not installed' };
  if (answer.stdout !== 'TRUE') {
    return { isThere: false, reason: `R is here, its package ${name} is not` };
  }
  const describe = `cat("${name}", format(packageVersion("${name}")))`;
  const version = runProgram('Rscript', ['--vanilla', '-e', describe]);
  return { isThere: true, version, program: 'Rscript' };
}

function findPackage(name: string): Finding {
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
  if (!existsSync(file)) return { isThere: false, reason: `not in test/oracle/node_modules` };
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return { isThere: true, version, program: name };
}
