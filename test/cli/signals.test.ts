import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from './programs.ts';

const HANDLERS = `
import { setTimeout as after } from 'node:timers/promises';
import { existsSync } from 'node:fs';
export default {
  'until.file': async ({ path }) => { while (!existsSync(path)) await after(10); return 'finished'; },
  'deaf': () => { for (;;); },
};
`;

let workplace: Workplace;
let address: string;
let handlers: string;

beforeAll(async () => {
  workplace = new Workplace();
  handlers = workplace.file('handlers.mjs', HANDLERS);
  ({ address } = await workplace.coordinator());
});

afterAll(async () => {
  await workplace[Symbol.asyncDispose]();
});

describe('a coordinator', () => {
  it('drains on SIGTERM and exits with 0, on SIGINT with 130', async () => {
    const [first, second] = await Promise.all([workplace.coordinator(), workplace.coordinator()]);
    first.program.kill('SIGTERM');
    second.program.kill('SIGINT');
    expect(await first.program.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"stopped"') as string,
    });
    expect((await second.program.ended).code).toBe(130);
  });

  it('ends at once on a second signal', async () => {
    const { program, address: own } = await workplace.coordinator('--grace', '60s');
    const input = workplace.file('null.json', 'null');
    const words = ['compute', '--task', 'nobody.does.it', '--input', input, '--address', own];
    await workplace.run('swarm', ['submit', ...words, '--no-wait']);
    program.kill('SIGTERM');
    await program.line('draining');
    program.kill('SIGTERM');
    expect((await program.ended).code).toBe(143);
  });
});

describe('an agent', () => {
  it('finishes what runs on SIGTERM, says goodbye and exits with 0', async () => {
    const agent = await workplace.agent(
      address,
      'drains',
      'compute',
      '--handlers',
      handlers,
      '--log-level',
      'trace',
    );
    const path = `${workplace.folder}/go`;
    const input = workplace.file('go.json', JSON.stringify({ path }));
    const words = ['compute', '--task', 'until.file', '--input', input, '--address', address];
    const waiting = workplace.start('swarm', ['submit', ...words, '--json']);
    await agent.line('until.file started');
    agent.kill('SIGTERM');
    await agent.line('draining');
    workplace.file('go', '');
    expect(JSON.parse((await waiting.ended).stdout)).toMatchObject({
      state: 'succeeded',
      result: 'finished',
    });
    expect((await agent.ended).code).toBe(0);
    const { stdout } = await workplace.run('swarm', ['agents', address, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ agents: [] });
  });

  it('ends at once on a second signal, whatever its handler does', async () => {
    const agent = await workplace.agent(
      address,
      'deaf',
      'compute',
      '--handlers',
      handlers,
      '--log-level',
      'trace',
      '--grace',
      '60s',
    );
    const input = workplace.file('deaf.json', 'null');
    const words = [
      'compute',
      '--task',
      'deaf',
      '--input',
      input,
      '--address',
      address,
      '--no-wait',
    ];
    await workplace.run('swarm', ['submit', ...words]);
    await agent.line('deaf started');
    agent.kill('SIGINT');
    await agent.line('draining');
    agent.kill('SIGINT');
    expect((await agent.ended).code).toBe(130);
  });
});
