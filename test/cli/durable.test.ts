import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Ended } from '../support/program.ts';
import { Workplace } from './programs.ts';

const HANDLERS = `
export default {
  'my.sum': (input, { results }) => results.reduce((sum, value) => sum + value, input),
  'my.failure': () => { throw new RangeError('out of coffee'); },
};
`;

let workplace: Workplace;

beforeAll(() => {
  workplace = new Workplace();
});

afterAll(async () => {
  await workplace[Symbol.asyncDispose]();
});

it('keeps durable tasks over a restart: what they wait for, their results and the dead letters', async () => {
  const data = `${workplace.folder}/data`;
  const first = await workplace.coordinator('--data', data);
  const { address } = first;
  const input = workplace.file('input.json', '5');
  const swarm = async (...words: string[]): Promise<Ended & { json: Json }> => {
    const ended = await workplace.run('swarm', [...words, '--address', address, '--json']);
    return { ...ended, json: JSON.parse(ended.stdout) as Json };
  };
  const submit = async (task: string, ...words: string[]): ReturnType<typeof swarm> =>
    swarm('submit', 'compute', '--task', task, '--input', input, ...words);

  const one = await submit('my.sum', '--durable', '--no-wait', '--idempotency-key', 'one');
  const { taskId } = one.json;
  const two = ['--durable', '--idempotency-key', 'two', '--after', taskId];
  const failing = ['--durable', '--idempotency-key', 'failing'];
  const [waiting, locked] = await Promise.all([
    submit(
      'my.sum',
      ...two,
      '--fairness-key',
      'f',
      '--not-before',
      '2020-01-01T00:00Z',
      '--no-wait',
    ),
    workplace.run('coordinator', ['127.0.0.1:0', '--data', data]),
    submit('my.failure', ...failing, '--no-wait'),
  ]);
  expect(waiting.json).toMatchObject({ state: 'waiting' });
  expect(locked).toMatchObject({ code: 73, stdout: '' });
  expect(locked.stderr).toContain('is open in another process');
  first.program.kill('SIGKILL');
  await first.program.ended;

  await workplace.start('coordinator', [address, '--data', data, '--json']).json('"ready"');
  const table = await workplace.run('swarm', ['tasks', address]);
  expect(table.stdout).toMatch(/ my\.sum +waiting +yes +- .* waits for 1 task$/m);
  const handlers = workplace.file('handlers.mjs', HANDLERS);
  await workplace.agent(address, 'mine', 'compute', '--handlers', handlers);
  // The same key is the same task: this waits for the one that was submitted before the restart.
  const [again, failed] = await Promise.all([
    submit('my.sum', ...two),
    submit('my.failure', ...failing),
  ]);
  expect(again).toMatchObject({ code: 0, json: { taskId: waiting.json.taskId, result: 10 } });
  expect(failed).toMatchObject({ code: 1, json: { error: { type: 'RangeError' } } });

  const { json: dead } = await swarm('deadletter', 'ls');
  const [row] = dead.deadLetters ?? [];
  expect(dead).toMatchObject({ rowsInAll: 1, deadLetters: [{ taskType: 'my.failure' }] });
  const [replay, unknown, cordoned] = await Promise.all([
    swarm('deadletter', 'replay', row?.taskId ?? ''),
    swarm('deadletter', 'drop', taskId),
    swarm('agent', 'cordon', 'mine'),
  ]);
  expect(replay).toMatchObject({ code: 0, json: { replayed: [{ taskId: row?.taskId }] } });
  expect(unknown).toMatchObject({ code: 1, json: { error: { type: 'TASK_NOT_FOUND' } } });
  expect(unknown.stderr).toContain('swarm deadletter ls');
  expect(cordoned).toMatchObject({ code: 0, json: { agentId: 'mine', action: 'cordon' } });
});

interface Json {
  readonly taskId: string;
  readonly state: string;
  readonly deadLetters?: readonly { readonly taskId: string }[];
}
