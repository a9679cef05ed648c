import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Interruption } from '../src/command-line/interruption.ts';
import { runProgram } from '../src/command-line/main.ts';
import type { CommandSpecification } from '../src/command-line/specification.ts';
import { AGENT, COORDINATOR } from '../src/specifications/servers.ts';
import { SWARM } from '../src/specifications/swarm.ts';
import { KeptText, SignalBox } from './command-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'quic-swarm-bad-input-'));

const FILES = {
  'good.csv': ['day,DAX', ...Array.from({ length: 50 }, (_, row) => `${row},${row % 7}`)],
  'gap.csv': ['day,DAX', '0,1', '1,', '2,3', '3,1'],
  'text.csv': ['day,DAX', '0,1', '1,high'],
  'words.csv': ['name', 'x', 'y'],
  'ragged.csv': ['day,DAX', '0,1', '1'],
  'empty.csv': [],
  'header.csv': ['day,DAX', ''],
  'long.csv': ['DAX', ...Array.from({ length: 60 }, (_, row) => String(row % 5))],
  'two.csv': ['a,b', '1,2'],
  'binary.csv': ['a\0b'],
  'not.json': ['{'],
  'handlers.mjs': ['export default 7;'],
};

beforeAll(() => {
  for (const [name, lines] of Object.entries(FILES)) {
    writeFileSync(join(folder, name), lines.join('\n'));
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Nobody listens there: whatever gets as far as connecting fails with 69, not 64. */
const ADDRESS = '--address 127.0.0.1:9';
const PATTERN = `submit pattern ${ADDRESS} --column DAX`;

type Row = [what: string, program: CommandSpecification, line: string, ...texts: string[]];

it.each<Row>([
  ['a wrong address form', COORDINATOR, 'localhost', '"localhost" is not an address', 'HOST:PORT'],
  ['a port that is none', AGENT, '127.0.0.1:99999 a pattern', '99999'],
  ['an unknown agent type', AGENT, '127.0.0.1:9 a patern', 'Did you mean "pattern"?'],
  [
    'an unknown way to compress',
    AGENT,
    '127.0.0.1:9 a pattern --compression alwais',
    '--compression cannot be "alwais"',
    'Did you mean "always"?',
  ],
  ['an unknown way to compress', COORDINATOR, '127.0.0.1:0 --compression zip', '"zip"'],
  ['an unknown way to compress', SWARM, `status 127.0.0.1:9 --compression zip`, '"zip"'],
  ['an unknown log level', AGENT, '127.0.0.1:9 a pattern --log-level wran', '"warn"'],
  [
    'handlers without functions',
    AGENT,
    '127.0.0.1:9 a compute --handlers handlers.mjs',
    'no function',
  ],
  ['a machine without trust', SWARM, 'status 192.0.2.1:5000', '--fingerprint', '--ca'],
  ['no file', SWARM, `${PATTERN} --series no.csv --query-rows 0:9`, 'there is no such file'],
  ['a binary file', SWARM, `${PATTERN} --series binary.csv --query-rows 0:9`, 'no text file'],
  [
    'text in a column',
    SWARM,
    `${PATTERN} --series text.csv --query-rows 0:1`,
    'line 3, column "DAX"',
  ],
  ['ragged rows', SWARM, `${PATTERN} --series ragged.csv --query-rows 0:1`, 'line 3: 1 cells'],
  ['an empty file', SWARM, `${PATTERN} --series empty.csv --query-rows 0:1`, 'is empty'],
  ['an empty series', SWARM, `${PATTERN} --series header.csv --query-rows 0:1`, 'series is empty'],
  [
    'a gap in the query',
    SWARM,
    `${PATTERN} --series gap.csv --query-rows 0:3`,
    'has a gap',
    'row 1',
  ],
  ['a long query', SWARM, `${PATTERN} --series good.csv --query long.csv`, '60 rows', 'only 50'],
  ['rows after the end', SWARM, `${PATTERN} --series good.csv --query-rows 40:51`, '50 rows'],
  [
    'a wide band',
    SWARM,
    `${PATTERN} --series good.csv --query-rows 0:9 --band 9`,
    '--band 9',
    '0 to 8',
  ],
  [
    'a query of words',
    SWARM,
    `${PATTERN} --series good.csv --query words.csv`,
    'no column of numbers',
  ],
  [
    'a query of two columns',
    SWARM,
    `${PATTERN} --series good.csv --query two.csv`,
    '2 columns',
    '"DAX"',
  ],
  [
    'an unknown column',
    SWARM,
    `submit train ${ADDRESS} --series good.csv --column DAXX`,
    'mean "DAX"',
  ],
  [
    'no column',
    SWARM,
    `submit train ${ADDRESS} --series good.csv`,
    '--column is missing',
    'day, DAX',
  ],
  [
    'a short series',
    SWARM,
    `submit train ${ADDRESS} --series gap.csv --column DAX`,
    'at least 10 rows',
  ],
  [
    'columns of text',
    SWARM,
    `submit correlation ${ADDRESS} --series words.csv`,
    'no column of numbers',
  ],
  ['no rows', SWARM, `submit correlation ${ADDRESS} --series header.csv`, 'the series is empty'],
  [
    'an unknown indicator',
    SWARM,
    `submit features ${ADDRESS} --column DAX --series good.csv --indicators smaa20`,
    'smaa20',
    'sma',
  ],
  [
    'an indicator without the columns that it reads',
    SWARM,
    `submit features ${ADDRESS} --column DAX --series good.csv --high DAX --indicators sma3,atr14`,
    'atr14 needs low beside the series',
    'Add --low COLUMN',
  ],
  [
    'bars without closes',
    SWARM,
    `submit features ${ADDRESS} --series good.csv --volume DAX --high DAX --indicators sma3`,
    '--high and --volume belong to the closes',
    '--column',
  ],
  [
    'an unknown column of bars',
    SWARM,
    `submit features ${ADDRESS} --column DAX --series good.csv --volume DAXX --indicators obv`,
    'mean "DAX"',
  ],
  ['no JSON', SWARM, `submit compute ${ADDRESS} --task t --input not.json`, 'is not JSON'],
  ['no task id', SWARM, `cancel nonsense ${ADDRESS}`, 'is not a task id'],
  ['no command', SWARM, 'statsu', 'Did you mean "status"?'],
  ['no option', SWARM, 'status --jsn', 'Did you mean --json?'],
])('refuses %s before anything is sent, with 64', async (_what, program, line, ...texts) => {
  const { code, stdout, stderr } = await run(program, line);
  for (const text of texts) expect(stderr).toContain(text);
  expect(stderr).toMatch(/^error: /);
  expect(stdout).toBe('');
  expect(code).toBe(64);
});

it('says the same as one JSON object on stdout with --json', async () => {
  const { code, stdout } = await run(
    SWARM,
    `${PATTERN} --series empty.csv --query-rows 0:1 --json`,
  );
  expect(code).toBe(64);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { type: 'BAD_INPUT', code: 'INVALID_ARGUMENT', hint: 'Give a file with rows.' },
  });
});

async function run(
  program: CommandSpecification,
  line: string,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const stdout = new KeptText();
  const stderr = new KeptText();
  const words = line
    .split(' ')
    .map((word) => (Object.hasOwn(FILES, word) ? join(folder, word) : word));
  const interruption = new Interruption(new SignalBox());
  const code = await runProgram(program, words, { stdout, stderr, environment: {}, interruption });
  return { code, stdout: stdout.text, stderr: stderr.text };
}
