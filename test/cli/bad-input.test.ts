import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Program } from '../support/program.ts';
import { Workplace, type ProgramName } from './programs.ts';

let workplace: Workplace;
let address: string;
let coordinator: Program;

beforeAll(async () => {
  workplace = new Workplace();
  ({ address, program: coordinator } = await workplace.coordinator());
  await workplace.agent(address, 'agent-1', 'pattern');
});

afterAll(async () => {
  await workplace[Symbol.asyncDispose]();
});

type Row = [what: string, program: ProgramName, line: string, code: number, ...texts: string[]];

const ABSENT = '127.0.0.1:9';
const WRONG = `--fingerprint sha256:${'0'.repeat(64)}`;
const NO_TASK = '00000000-0000-7000-8000-000000000000';

/** What needs a coordinator, or none. What is refused before: packages/cli/test/bad-input.test.ts. */
const ROWS: Row[] = [
  ['a port in use', 'coordinator', 'ADDR', 73, 'ADDR', 'coordinator 127.0.0.1:0'],
  ['an unknown agent type', 'agent', 'ADDR a-2 patern', 64, 'Did you mean "pattern"?'],
  ['a duplicate agent id', 'agent', 'ADDR agent-1 pattern', 73, 'agent-1', 'Take another id'],
  ['nobody there for an agent', 'agent', `${ABSENT} a-1 pattern`, 69, `coordinator ${ABSENT}`],
  ['a wrong fingerprint, agent', 'agent', `ADDR a-2 pattern ${WRONG}`, 77, 'fingerprint'],
  ['a wrong fingerprint, client', 'swarm', `status ADDR ${WRONG}`, 77, 'fingerprint'],
  ['an id of no task', 'swarm', `cancel ${NO_TASK} --address ADDR`, 1, NO_TASK],
];

it('gets an error that says what and what to do, with its exit code, and harms nobody', async () => {
  const failures = await Promise.all(ROWS.map(complaintsAbout));
  expect(failures.flat()).toEqual([]);
  const { code, stdout } = await workplace.run('swarm', ['agents', address, '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ agents: [{ agentId: 'agent-1', state: 'ready' }] });
  expect(coordinator.process.exitCode).toBeNull();
});

it('gets an answer when nobody is there, as one JSON object with --json', async () => {
  const { code, stdout } = await workplace.run('swarm', ['status', ABSENT, '--json']);
  expect(code).toBe(69);
  expect(JSON.parse(stdout)).toMatchObject({
    error: {
      type: 'CONNECT_FAILED',
      code: 'UNAVAILABLE',
      hint: expect.stringContaining(`coordinator ${ABSENT}`) as string,
    },
  });
});

/** What is not as it should be; empty when all is well. */
async function complaintsAbout([what, program, line, code, ...texts]: Row): Promise<string[]> {
  const words = line.split(' ').map((word) => (word === 'ADDR' ? address : word));
  const expected = texts.map((text) => (text === 'ADDR' ? address : text));
  const ended = await workplace.run(program, words);
  const wrong = [
    ...(ended.code === code ? [] : [`exit ${ended.code}, not ${code}`]),
    ...(ended.stdout === '' ? [] : [`stdout: ${ended.stdout}`]),
    ...(ended.stderr.startsWith('error: ') ? [] : ['no "error: "']),
    ...expected.filter((text) => !ended.stderr.includes(text)).map((text) => `no "${text}"`),
  ];
  return wrong.length === 0 ? [] : [`${what}: ${wrong.join('; ')}\n${ended.stderr}`];
}
