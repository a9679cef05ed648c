/**
 * What oracles said about the S&P 500 of npm vega-datasets 3.2.1, recorded: each entry names the oracle and the command, run
 * in the root of the repository, that printed it. `npm run test:oracle` asks again.
 */
import type {
  RecordedIndicators,
  RecordedResult,
} from '../../packages/kernels/test/recorded-results.ts';

export const SP500_RESULTS: readonly RecordedResult[] = [
  // The last 128 days, to 2020-04-17, among all days before.
  // numpy 1.24.2, scipy 1.10.1: /usr/bin/python3 test/oracle/scipy-oracle.py "$QUESTION"
  {
    question:
      '{"search":"dtw","band":13,"series":{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"close"},"query":[4977,5105],"topK":5,"exclusionZone":32}',
    answer: {
      matches: [
        { start: 3836, distance: 4.060804853500712 },
        { start: 2036, distance: 4.0940782293450635 },
        { start: 4635, distance: 4.337971940718347 },
        { start: 3937, distance: 4.388119863421985 },
        { start: 1517, distance: 4.415877205332102 },
      ],
    },
  },
  // 60 days of autumn 2008, among all others.
  // numpy 1.24.2, scipy 1.10.1: /usr/bin/python3 test/oracle/scipy-oracle.py "$QUESTION"
  {
    question:
      '{"search":"dtw","band":3,"series":{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"close"},"query":[2180,2240],"topK":5,"exclusionZone":15}',
    answer: {
      matches: [
        { start: 2585, distance: 1.4961240545921222 },
        { start: 2893, distance: 2.1117932143094027 },
        { start: 4700, distance: 2.1552376476790345 },
        { start: 4000, distance: 2.2032220761637156 },
        { start: 1998, distance: 2.2130030612948106 },
      ],
    },
  },
  // The last 128 days once more.
  // numpy 1.24.2, scipy 1.10.1: /usr/bin/python3 test/oracle/scipy-oracle.py "$QUESTION"
  {
    question:
      '{"search":"lcss","epsilon":0.25,"delta":6,"series":{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"close"},"query":[4977,5105],"topK":5,"exclusionZone":32}',
    answer: {
      matches: [
        { start: 4631, distance: 0.4296875 },
        { start: 86, distance: 0.4609375 },
        { start: 2028, distance: 0.4609375 },
        { start: 1508, distance: 0.4765625 },
        { start: 3822, distance: 0.484375 },
      ],
    },
  },
  // Daily changes of the five columns of the bars.
  // numpy 1.24.2, scipy 1.10.1: /usr/bin/python3 test/oracle/scipy-oracle.py "$QUESTION"
  {
    question:
      '{"correlate":"pearson","columns":[{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"open","returns":true},{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"high","returns":true},{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"low","returns":true},{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"close","returns":true},{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"volume","returns":true}]}',
    answer: {
      matrix: [
        1.0, 0.6022028074313589, 0.6060296811663168, 0.005028165482656603, -0.038086330326940684,
        0.6022028074313589, 1.0, 0.6954310079516015, 0.6016755904899488, 0.06066614992054455,
        0.6060296811663168, 0.6954310079516015, 0.9999999999999998, 0.6004455297041517,
        -0.16812479045842552, 0.005028165482656603, 0.6016755904899488, 0.6004455297041517, 1.0,
        -0.04119790051712258, -0.038086330326940684, 0.06066614992054455, -0.16812479045842552,
        -0.04119790051712258, 1.0,
      ],
      shrinkage: 0.004299130944920466,
    },
  },
  // The same by ranks.
  // numpy 1.24.2, scipy 1.10.1: /usr/bin/python3 test/oracle/scipy-oracle.py "$QUESTION"
  {
    question:
      '{"correlate":"spearman","columns":[{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"open","returns":true},{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"high","returns":true},{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"low","returns":true},{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"close","returns":true},{"csv":"test/oracle/node_modules/vega-datasets/data/sp500-2000.csv","column":"volume","returns":true}]}',
    answer: {
      matrix: [
        0.9999999999999999, 0.5506992639329403, 0.5692899423776939, 0.014626296069305902,
        -0.06458955937977674, 0.5506992639329403, 0.9999999999999999, 0.7143512657912473,
        0.5823161555863537, 0.08233923666956561, 0.5692899423776938, 0.7143512657912474, 1.0,
        0.5862421496013628, -0.20633338256142986, 0.0146262960693059, 0.5823161555863537,
        0.5862421496013628, 1.0, -0.04738931922060451, -0.06458955937977674, 0.08233923666956561,
        -0.20633338256142986, -0.04738931922060452, 0.9999999999999999,
      ],
      shrinkage: 0.0010845719282757112,
    },
  },
];

/**
 * At rows 2499 and 5104, with volumes in thousands. R's TTR 0.24.3 with R 4.2.2, whose rows count from 1:
 *
 *   Rscript -e 'suppressMessages(library(TTR));
 *     b <- read.csv("test/oracle/node_modules/vega-datasets/data/sp500-2000.csv"); x <- b$close;
 *     h <- b[, c("high", "low", "close")]; v <- b$volume / 1000; y <- cbind(RSI(x, 14),
 *     MACD(x, 12, 26, 9, percent = FALSE), ATR(h, 14)[, "atr"], stoch(h, 14, 3)[, c("fastK", "fastD")],
 *     OBV(x, v), VWAP(rowMeans(h), v, 20)); print(y[c(2500, 5105), ], digits = 17)'
 */
export const SP500_INDICATORS: readonly RecordedIndicators[] = [
  {
    row: 2499,
    values: {
      rsi: 51.505412913151417,
      macd: 6.0059663642211945,
      signal: 8.1348334521680457,
      atr: 15.067451893027934,
      k: 0.34501146721751996,
      d: 0.37599985947072279,
      obv: 289561550,
      vwap: 1101.0779370433052,
    },
  },
  {
    row: 5104,
    values: {
      rsi: 57.362695991425745,
      macd: 16.3960150424672975,
      signal: -35.4909269915863135,
      atr: 109.579008941924982,
      k: 0.98920642020457672,
      d: 0.89682914592242724,
      obv: 1104100670,
      vwap: 2593.4741504350386,
    },
  },
];
