/** `swarm research …`: whole investigations that a swarm computes and learns from. */
import type { CommandSpecification } from '../command-line/specification.ts';
import { CLIENT_OPTIONS } from './shared.ts';

const FORECAST: CommandSpecification = {
  name: 'forecast',
  summary:
    'Forecast volatility row by row, with parameters that the coordinator learns; and what that is worth.',
  options: {
    series: { describe: 'CSV file with prices; repeat for several (required)' },
    column: { describe: 'Columns a,b,… of it, side by side (default: the one that it has)' },
    horizon: { describe: 'Rows ahead', default: '5' },
    history: { describe: 'Rows of the past in which analogues are looked for', default: '750' },
    stride: { describe: 'Rows from one forecast to the next', default: '1' },
    steps: { describe: 'At most so many forecasts of each series (default: all)' },
    plot: { describe: 'Draw how errors add up against the best parameters: FILE.svg' },
    ...CLIENT_OPTIONS,
  },
  examples: [
    ['swarm research forecast --series prices.csv --column DAX --plot regret.svg', ''],
    ['swarm research forecast --series prices.csv --column DAX,SMI,CAC,FTSE --stride 3', ''],
  ],
  load: async () => (await import('../commands/research-forecast.ts')).researchForecastCommand,
};

export const RESEARCH: CommandSpecification = {
  name: 'research',
  summary: 'Investigations that learn as they go.',
  commands: [FORECAST],
};
