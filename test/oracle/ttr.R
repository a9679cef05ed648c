# Reads bars (high, low, close, volume) from the file that is named first, and writes what TTR makes of them to the
# second, with all their digits (the cumulative VWAP and the z-score are sums and quotients of R and TTR). Conventions that
# differ from ours are left as TTR has them; the test knows them.
suppressMessages(library(TTR))
paths <- commandArgs(trailingOnly = TRUE)
# R would read whole volumes as 32-bit integers, whose sum becomes NA past 2^31.
bars <- read.csv(paths[1], colClasses = "numeric")
hlc <- as.matrix(bars[, c("high", "low", "close")])
close <- bars$close
typical <- (bars$high + bars$low + bars$close) / 3
macd <- MACD(close, 12, 26, 9, percent = FALSE)
bands <- BBands(close, 20, sd = 2)
oscillator <- stoch(hlc, nFastK = 14, nFastD = 3)
result <- data.frame(
  sma = SMA(close, 20),
  ema = EMA(close, 20),
  wma = WMA(close, 20),
  rsi = RSI(close, 14),
  macd = macd[, "macd"],
  signal = macd[, "signal"],
  lower = bands[, "dn"],
  middle = bands[, "mavg"],
  upper = bands[, "up"],
  atr = ATR(hlc, 14)[, "atr"],
  k = oscillator[, "fastK"],
  d = oscillator[, "fastD"],
  obv = OBV(close, bars$volume),
  vwap = VWAP(typical, bars$volume, 20),
  vwapOfAll = cumsum(typical * bars$volume) / cumsum(bars$volume),
  zscore = (close - runMean(close, 20)) / runSD(close, 20, sample = FALSE),
  volatility = volatility(close, n = 21, calc = "close", N = 252),
  realised = volatility(close, n = 21, calc = "close", N = 252, mean0 = TRUE),
  logreturn = ROC(close, 1),
  simplereturn = ROC(close, 1, type = "discrete")
)
digits <- as.data.frame(lapply(result, function(column) sprintf("%.17g", column)))
write.csv(digits, paths[2], row.names = FALSE, quote = FALSE)
