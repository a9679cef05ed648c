/** Times of day as people write them: ISO 8601, `2026-01-31T18:00Z`, `2026-01-31T18:00:30+01:00`. */

/** Date and time; without a zone it is the local time of this machine. */
const FORM = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})?$/;

/** The moment, or undefined when the text is no time of day. */
export function parseTimeOfDay(text: string): Date | undefined {
  const match = FORM.exec(text.trim());
  if (match === null) return undefined;
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  // Of 30 February the language would make a day in March.
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return undefined;
  const moment = new Date(text.trim());
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}
