/** Indicators over a long column, beside the libraries that npm has for them. */
import type { Bench, Target } from '../harness/model.ts';
import { FIVE, indicatorWorkloads, SINGLE, TIME } from '../workloads/indicators.ts';

const OURS = 'quic-swarm kernels';
const IXJB94 = '@ixjb94/indicators';
const PEERS = [IXJB94, 'indicatorts', 'trading-signals', 'technicalindicators'] as const;

/** Indicators that a peer does not have, or in another definition. */
const WITHOUT: Readonly<Record<string, readonly string[]>> = {
  // Its ATR is a plain mean and not Wilder's, its VWAP is of closes.
  indicatorts: ['wma20', 'atr14', 'vwap20'],
  'trading-signals': ['vwap20'],
  // Bollinger alone takes it seconds.
  technicalindicators: ['vwap20', 'five'],
};

export const indicators: Bench = {
  name: 'indicators',
  title: 'Indicators over a million rows, in one thread',
  rounds: 5,
  quickRounds: 2,
  contestants: [
    { name: OURS, kind: 'ours', peer: 'indicator-kernels' },
    {
      name: `${OURS}, columns reused`,
      kind: 'ours',
      peer: 'indicator-kernels',
      variant: { reusesColumns: true },
      note: 'columnFor gives the same arrays again; targets are judged without it, as peers make new ones too',
    },
    peer(IXJB94, 'ixjb94'),
    peer('indicatorts', 'indicatorts'),
    // They take a second and more for a million rows.
    { ...peer('trading-signals', 'trading-signals'), roundsMax: 3, note: 'at most 3 rounds' },
    {
      ...peer('technicalindicators', 'technicalindicators'),
      roundsMax: 3,
      note: 'at most 3 rounds; its RSI is rounded to two decimals',
    },
  ],
  plans: indicatorWorkloads.map((workload) => ({ workload, quick: { warmUpCount: 1, count: 2 } })),
  targets: [
    ...SINGLE.map(toFastestPeer),
    {
      name: `five at once (${FIVE.join(', ')}), ${IXJB94} to ours`,
      unit: '×',
      comparator: '>=',
      target: 9,
      measure: (results) => results.ratio('five', TIME, IXJB94, OURS),
    },
  ],
};

function peer(name: string, file: string): Bench['contestants'][number] {
  const without = WITHOUT[name] ?? [];
  const workloads = indicatorWorkloads.map((each) => each.name);
  return {
    name,
    kind: 'peer',
    peer: file,
    workloads: workloads.filter((each) => !without.includes(each)),
  };
}

/** How many times as long the fastest peer takes. */
function toFastestPeer(workload: string): Target {
  return {
    name: `${workload}, the fastest peer to ours`,
    unit: '×',
    comparator: '>=',
    target: 2,
    measure: (results) => {
      const ratios = PEERS.flatMap((name) => results.ratio(workload, TIME, name, OURS) ?? []);
      return ratios.length === 0 ? undefined : Math.min(...ratios);
    },
  };
}
