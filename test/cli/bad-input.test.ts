import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace, type Program, type ProgramName } from './programs.ts';

let workplace: Workplace;
let address: string;
let coordinator: Program;

beforeAll(async () => {
  workplace = new Workplace();
  ({ address, program: coordinator } = await workplace.coordinator());
  await workplace.agent(address, 'agent-1', 'pattern');
  workplace.file(
    'good.csv',
    ['day,DAX', ...Array.from({ length: 50 }, (_, row) => `${row},${row % 7}`)].join('\n'),
  );
  workplace.file('gap.csv', 'day,DAX\n0,1\n1,\n2,3\n3,1\n');
  workplace.file('text.csv', 'day,DAX\n0,1\n1,high\n');
  workplace.file('ragged.csv', 'day,DAX\n0,1\n1\n');
  workplace.file('empty.csv', '');
  workplace.file('header.csv', 'day,DAX\n');
  workplace.file(
    'long.csv',
    ['DAX', ...Array.from({ length: 60 }, (_, row) => row % 5)].join('\n'),
  );
  workplace.file('not.json', '{');
  workplace.file('broken.mjs', 'export default 7;');
});

afterAll(async () => {
  await workplace[Symbol.asyncDispose]();
});

type Row = [what: string, program: ProgramName, words: string, code: number, ...texts: string[]];

const PATTERN = 'submit pattern --address ADDR --column DAX';
const ABSENT = '127.0.0.1:9';

const ROWS: Row[] = [
  [
    'a wrong address form',
    'coordinator',
    'localhost',
    64,
    '"localhost" is not an address',
    'HOST:PORT',
  ],
  ['a wrong port', 'agent', '127.0.0.1:99999 a pattern', 64, '99999'],
  ['a port in use', 'coordinator', 'ADDR', 73, 'use', 'coordinator 127.0.0.1:0'],
  ['an unknown agent type', 'agent', 'ADDR a-2 patern', 64, 'Did you mean "pattern"?'],
  ['a duplicate agent id', 'agent', 'ADDR agent-1 pattern', 73, 'agent-1', 'Take another id'],
  ['a compute agent without handlers', 'agent', 'ADDR a-2 compute', 64, '--handlers'],
  [
    'handlers that are none',
    'agent',
    'ADDR a-2 compute --handlers broken.mjs',
    64,
    'exports no function',
  ],
  [
    'an absent coordinator, for an agent',
    'agent',
    `${ABSENT} a-1 pattern`,
    69,
    `coordinator ${ABSENT}`,
  ],
  ['an absent coordinator, for a client', 'swarm', `status ${ABSENT}`, 69, `coordinator ${ABSENT}`],
  [
    'a wrong fingerprint',
    'swarm',
    `status ADDR --fingerprint sha256:${'0'.repeat(64)}`,
    77,
    'fingerprint',
  ],
  [
    'a wrong fingerprint, for an agent',
    'agent',
    `ADDR a-2 pattern --fingerprint sha256:${'0'.repeat(64)}`,
    77,
    'fingerprint',
  ],
  ['a coordinator elsewhere without trust', 'swarm', 'status 192.0.2.1:5000', 64, '--fingerprint'],
  ['an unknown option', 'swarm', 'status ADDR --jsn', 64, 'Did you mean --json?'],
  ['an unknown command', 'swarm', 'statsu', 64, 'Did you mean "status"?'],
  [
    'a file that is not there',
    'swarm',
    `${PATTERN} --series no.csv --query-rows 0:9`,
    64,
    'no such file',
  ],
  [
    'text in a column',
    'swarm',
    `${PATTERN} --series text.csv --query-rows 0:1`,
    64,
    'line 3, column "DAX"',
  ],
  [
    'ragged rows',
    'swarm',
    `${PATTERN} --series ragged.csv --query-rows 0:1`,
    64,
    'line 3: 1 cells',
  ],
  ['an empty file', 'swarm', `${PATTERN} --series empty.csv --query-rows 0:1`, 64, 'is empty'],
  [
    'an empty series',
    'swarm',
    `${PATTERN} --series header.csv --query-rows 0:1`,
    64,
    'the series is empty',
  ],
  [
    'a query with a gap',
    'swarm',
    `${PATTERN} --series gap.csv --query-rows 0:3`,
    64,
    'The query has a gap',
    'row 1',
  ],
  [
    'a query longer than the series',
    'swarm',
    `${PATTERN} --series good.csv --query long.csv`,
    64,
    '60 rows',
    '50',
  ],
  [
    'query rows after the end',
    'swarm',
    `${PATTERN} --series good.csv --query-rows 40:51`,
    64,
    '50 rows',
  ],
  [
    'a band as long as the query',
    'swarm',
    `${PATTERN} --series good.csv --query-rows 0:9 --band 9`,
    64,
    '--band 9',
  ],
  [
    'an unknown column',
    'swarm',
    'submit pattern --address ADDR --column DAXX --series good.csv --query-rows 0:9',
    64,
    'Did you mean "DAX"?',
  ],
  [
    'a missing column',
    'swarm',
    'submit pattern --address ADDR --series good.csv --query-rows 0:9',
    64,
    '--column is missing',
    'day, DAX',
  ],
  [
    'an unknown indicator',
    'swarm',
    'submit features --address ADDR --column DAX --series good.csv --indicators smaa20',
    64,
    'smaa20',
    'sma',
  ],
  [
    'an input that is no JSON',
    'swarm',
    'submit compute --address ADDR --task t --input not.json',
    64,
    'is not JSON',
  ],
  [
    'an id of no task',
    'swarm',
    'cancel 00000000-0000-7000-8000-000000000000 --address ADDR',
    1,
    'task',
  ],
  ['a word that is no task id', 'swarm', 'cancel nonsense --address ADDR', 64, 'is not a task id'],
];

describe('bad input', () => {
  it('gets an error that says what and what to do, with its exit code, and harms nobody', async () => {
    const rows = ROWS.values();
    const failures: string[] = [];
    const worker = async (): Promise<void> => {
      for (const row of rows) failures.push(...(await complaintsAbout(row)));
    };
    await Promise.all([worker(), worker(), worker()]);
    expect(failures).toEqual([]);
    const { code, stdout } = await workplace.run('swarm', ['agents', address, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ agents: [{ agentId: 'agent-1', state: 'ready' }] });
  });

  it('is told as one JSON object with --json', async () => {
    const { code, stdout } = await workplace.run('swarm', ['status', ABSENT, '--json']);
    expect(code).toBe(69);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { type: 'CONNECT_FAILED', code: 'UNAVAILABLE', hint: expect.any(String) as string },
    });
  });

  it('does not make the coordinator end', () => {
    expect(coordinator.process.exitCode).toBeNull();
  });
});

/** What is not as it should be; empty when all is well. */
async function complaintsAbout([what, program, line, code, ...texts]: Row): Promise<string[]> {
  const words = line.split(' ').map((word) => {
    if (word === 'ADDR') return address;
    return /\.(csv|json|mjs)$/.test(word) ? `${workplace.folder}/${word}` : word;
  });
  const ended = await workplace.run(program, words);
  const wrong = [
    ...(ended.code === code ? [] : [`exit ${ended.code}, not ${code}`]),
    ...(ended.stdout === '' ? [] : [`stdout: ${ended.stdout}`]),
    ...(ended.stderr.startsWith('error: ') ? [] : ['no "error: "']),
    ...texts.filter((text) => !ended.stderr.includes(text)).map((text) => `no "${text}"`),
  ];
  return wrong.length === 0 ? [] : [`${what}: ${wrong.join('; ')}\n${ended.stderr}`];
}
