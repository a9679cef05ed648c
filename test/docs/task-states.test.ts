import { PENDING_REASONS, TERMINAL_TASK_STATES } from '@quic-swarm/protocol';
import { expect, it } from 'vitest';
import { DEFAULT_CORE_OPTIONS } from '@quic-swarm/coordinator';
import { LEGAL_TRANSITIONS } from '../../packages/coordinator/src/core/task-state.ts';
import { readDocument } from './markdown.ts';

const text = readDocument('docs/task-states.md');

function wordsOf(cell: string): string[] {
  return [...cell.matchAll(/`([A-Za-z_]+)`/g)].map(([, word = '']) => word);
}

it('the table of states is the table of the core', () => {
  const table = text.slice(text.indexOf('<!-- table: legal transitions -->'));
  const rows = [...table.matchAll(/^\| `([a-z_]+)` +\| .*? \| (.*) \|$/gm)].slice(0, 8);
  const documented = Object.fromEntries(
    rows.map(([, state = '', next = '']) => [state, wordsOf(next).sort()]),
  );
  const real = Object.fromEntries(
    Object.entries(LEGAL_TRANSITIONS).map(([state, next]) => [state, [...next].sort()]),
  );
  expect(documented).toEqual(real);
  const final = Object.keys(documented).filter((state) => documented[state]?.length === 0);
  expect(final).toEqual([...TERMINAL_TASK_STATES]);
});

it('every pending reason is explained', () => {
  const documented = [...text.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, reason = '']) => reason);
  expect(documented.sort()).toEqual([...PENDING_REASONS].sort());
});

it('the figures are the defaults', () => {
  const { retry, startToCloseMs, startToCloseSlackMs, cancelGraceMs } = DEFAULT_CORE_OPTIONS;
  const { suspectAfterMs, lostAfterMs, reconnectGraceMs } = DEFAULT_CORE_OPTIONS;
  expect(retry).toMatchObject({ maximumAttempts: 3, maximumDeliveries: 3 });
  expect(text).toContain(
    `after a random part of ${retry.initialIntervalMs} ms, ${retry.initialIntervalMs * retry.backoffCoefficient} ms, 400 ms … up to ${retry.maximumIntervalMs / 1000} s`,
  );
  expect(text).toContain(`one attempt; ${startToCloseMs / 60_000} minutes by default`);
  expect(text).toContain(`${startToCloseSlackMs / 1000} s later the coordinator does`);
  expect(text).toContain(`after the grace time (${cancelGraceMs / 1000} s)`);
  expect(text).toContain(`silent for ${suspectAfterMs / 1000} s is suspect`);
  expect(text).toContain(`after ${lostAfterMs / 1000} s it is lost`);
  const { idleSuspectAfterMs, idleLostAfterMs } = DEFAULT_CORE_OPTIONS;
  expect(text).toContain(
    `without tasks is suspect after ${idleSuspectAfterMs / 1000} s and lost after ${idleLostAfterMs / 1000} s`,
  );
  expect(text).toContain(`come back within ${reconnectGraceMs / 1000} s`);
  const { deadLettersMax, deadLetterBytesMax, unclaimedTtlMs } = DEFAULT_CORE_OPTIONS;
  const { unclaimedBytesMax, durablePayloadBytesMax } = DEFAULT_CORE_OPTIONS;
  const mebibytes = (bytes: number): string => `${bytes / 2 ** 20} MiB`;
  expect(text).toContain(
    `up to ${deadLettersMax.toLocaleString('en')} of them and ${mebibytes(deadLetterBytesMax)}`,
  );
  expect(text).toContain(`at most ${unclaimedTtlMs / 3_600_000} hours`);
  expect(text).toContain(`are more than ${mebibytes(unclaimedBytesMax)}`);
  expect(text).toContain(`may have up to ${mebibytes(durablePayloadBytesMax)}`);
  expect(text).toContain(`waits ${reconnectGraceMs / 1000} s for that agent`);
});
