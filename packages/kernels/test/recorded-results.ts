/**
 * What oracles said about the European indices, recorded: each entry names the oracle and the command, run in the root of
 * the repository, that printed it. `npm run test:oracle` asks again.
 */
import type { Answer } from './oracle-questions.ts';

/** A question as JSON, which is the oracle's argument, and what the oracle answered. */
export interface RecordedResult {
  readonly question: string;
  readonly answer: Answer;
}

export const EU_RESULTS: readonly RecordedResult[] = [
  // The last 32 days of the DAX, among all days before.
  // numpy 1.24.2, scipy 1.10.1: /usr/bin/python3 test/oracle/scipy-oracle.py "$QUESTION"
  {
    question:
      '{"search":"dtw","band":3,"series":{"csv":"examples/data/eu-stock-markets.csv","column":"DAX"},"query":[1828,1860],"topK":5,"exclusionZone":8}',
    answer: {
      matches: [
        { start: 1625, distance: 1.115456794066777 },
        { start: 1087, distance: 1.3457698401679823 },
        { start: 1295, distance: 1.3581852814015642 },
        { start: 819, distance: 1.3759254516470552 },
        { start: 252, distance: 1.526978859185441 },
      ],
    },
  },
  // 96 days of the FTSE, among all others.
  // numpy 1.24.2, scipy 1.10.1: /usr/bin/python3 test/oracle/scipy-oracle.py "$QUESTION"
  {
    question:
      '{"search":"dtw","band":10,"series":{"csv":"examples/data/eu-stock-markets.csv","column":"FTSE"},"query":[1300,1396],"topK":5,"exclusionZone":24}',
    answer: {
      matches: [
        { start: 1685, distance: 1.2252168623744262 },
        { start: 597, distance: 1.2259925000263647 },
        { start: 1401, distance: 1.4772231010573114 },
        { start: 945, distance: 1.5476095156377752 },
        { start: 286, distance: 1.6487130110043158 },
      ],
    },
  },
  // 64 days of the SMI, among all others; equal distances are in the order of their starts.
  // numpy 1.24.2, scipy 1.10.1: /usr/bin/python3 test/oracle/scipy-oracle.py "$QUESTION"
  {
    question:
      '{"search":"lcss","epsilon":0.25,"delta":3,"series":{"csv":"examples/data/eu-stock-markets.csv","column":"SMI"},"query":[1000,1064],"topK":5,"exclusionZone":16}',
    answer: {
      matches: [
        { start: 120, distance: 0.234375 },
        { start: 298, distance: 0.265625 },
        { start: 365, distance: 0.265625 },
        { start: 621, distance: 0.28125 },
        { start: 1068, distance: 0.28125 },
      ],
    },
  },
  // Daily returns of all four.
  // numpy 1.24.2, scipy 1.10.1: /usr/bin/python3 test/oracle/scipy-oracle.py "$QUESTION"
  {
    question:
      '{"correlate":"pearson","columns":[{"csv":"examples/data/eu-stock-markets.csv","column":"DAX","returns":true},{"csv":"examples/data/eu-stock-markets.csv","column":"SMI","returns":true},{"csv":"examples/data/eu-stock-markets.csv","column":"CAC","returns":true},{"csv":"examples/data/eu-stock-markets.csv","column":"FTSE","returns":true}]}',
    answer: {
      matrix: [
        1.0, 0.7010374342329123, 0.7333634577539266, 0.6379321796031139, 0.7010374342329123, 1.0,
        0.6145379879177671, 0.5829738946324663, 0.7333634577539266, 0.6145379879177671, 1.0,
        0.6473261351393671, 0.6379321796031139, 0.5829738946324663, 0.6473261351393671, 1.0,
      ],
      shrinkage: 0.004861490486052841,
    },
  },
  // The same by ranks.
  // numpy 1.24.2, scipy 1.10.1: /usr/bin/python3 test/oracle/scipy-oracle.py "$QUESTION"
  {
    question:
      '{"correlate":"spearman","columns":[{"csv":"examples/data/eu-stock-markets.csv","column":"DAX","returns":true},{"csv":"examples/data/eu-stock-markets.csv","column":"SMI","returns":true},{"csv":"examples/data/eu-stock-markets.csv","column":"CAC","returns":true},{"csv":"examples/data/eu-stock-markets.csv","column":"FTSE","returns":true}]}',
    answer: {
      matrix: [
        1.0, 0.6298699258030005, 0.6930206479673301, 0.6069456709180024, 0.6298699258030005, 1.0,
        0.5644055300961829, 0.5562219679937106, 0.6930206479673301, 0.5644055300961829, 1.0,
        0.6260621407155995, 0.6069456709180024, 0.5562219679937107, 0.6260621407155995, 1.0,
      ],
      shrinkage: 0.001362017681200198,
    },
  },
];

/** Indicators at a row of a column, by what each is called in test/oracle/ttr.R. */
export interface RecordedIndicators {
  readonly row: number;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * Of the DAX at rows 999 and 1859. R's TTR 0.24.3 with R 4.2.2, whose rows count from 1:
 *
 *   Rscript -e 'suppressMessages(library(TTR)); x <- read.csv("examples/data/eu-stock-markets.csv")$DAX;
 *     y <- cbind(SMA(x, 20), EMA(x, 20), WMA(x, 20), RSI(x, 14), MACD(x, 12, 26, 9, percent = FALSE),
 *     BBands(x, 20, sd = 2)[, c("dn", "up")]); print(y[c(1000, 1860), ], digits = 17)'
 */
export const DAX_INDICATORS: readonly RecordedIndicators[] = [
  {
    row: 999,
    values: {
      sma: 1981.3684999999991,
      ema: 1988.5486605753681,
      wma: 1989.4431428571429,
      rsi: 57.837187760419049,
      macd: 5.9502937975823897,
      signal: -2.9890693379084672,
      lower: 1933.3143637472269,
      upper: 2029.4226362527713,
    },
  },
  {
    row: 1859,
    values: {
      sma: 5752.5010000000048,
      ema: 5658.3893431688512,
      wma: 5608.0306190476185,
      rsi: 38.139711740583166,
      macd: -140.2489068322383901,
      signal: -91.2206723164322568,
      lower: 5208.0399114399497,
      upper: 6296.96208855986,
    },
  },
];
