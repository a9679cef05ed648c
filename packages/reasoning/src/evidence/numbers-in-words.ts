/** Numbers as people read them: few digits, a sign where it matters, a power of ten where digits say nothing. */

/** `+0.103`, `−0.020`, and never `−0.000`. */
export function signed(value: number): string {
  const text = Math.abs(value).toFixed(3);
  if (Number(text) === 0) return text;
  return (value < 0 ? '−' : '+') + text;
}

/** A purse of e^logOdds coins: `23.4`, or a power of ten where the number says nothing any more. */
export function odds(logOdds: number): string {
  const exponent = logOdds / Math.LN10;
  return exponent < 6 ? plain(Math.exp(logOdds)) : `10^${Math.floor(exponent)}`;
}

/** At most three significant digits: `95`, `99.9`, `0.05`, `23.4`. */
export function plain(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
