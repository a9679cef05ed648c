import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Program } from '../support/program.ts';
import { Workplace, until } from './programs.ts';

let workplace: Workplace;

beforeAll(() => {
  workplace = new Workplace();
});

afterAll(async () => {
  await workplace[Symbol.asyncDispose]();
});

describe('swarm demo', () => {
  it('computes all five kinds of task, ends by itself without a terminal, and leaves no process', async () => {
    const demo = workplace.start('swarm', ['demo']);
    await demo.line('uploaded');
    const children = childrenOf(demo);
    const { code, stdout, stderr } = await demo.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const text of [
      '1860 daily closes of DAX, SMI, CAC, FTSE',
      'DTW distance',
      'strongest DAX-CAC',
      'RSI14',
      'gradient norm',
      'insufficient: ',
      'latency ',
      'throughput ',
      'npx coordinator 127.0.0.1:5000',
    ]) {
      expect(stdout).toContain(text);
    }
    expect(children.length).toBe(isLinux ? 6 : 0);
    expect(children.filter(isAlive)).toEqual([]);
  });

  it('stops its processes on Ctrl-C and exits with 130', async () => {
    const demo = workplace.start('swarm', ['demo', '--stay']);
    await demo.line('coordinator');
    const children = childrenOf(demo);
    demo.kill('SIGINT');
    expect((await demo.ended).code).toBe(130);
    await until(() => !children.some(isAlive));
  });

  it('leaves no process even when it is killed without a word', async () => {
    const demo = workplace.start('swarm', ['demo']);
    await demo.line('coordinator');
    const children = childrenOf(demo);
    demo.kill('SIGKILL');
    await demo.ended;
    await until(() => !children.some(isAlive));
  });

  it('says so when one of its processes dies, and stops the others', async () => {
    const demo = workplace.start('swarm', ['demo', '--stay']);
    await demo.line('coordinator');
    const children = childrenOf(demo);
    const victim = children[0];
    // Without /proc there is no way to find it.
    if (victim === undefined) return;
    process.kill(victim, 'SIGKILL');
    const { code, stderr } = await demo.ended;
    expect(code).toBe(70);
    expect(stderr).toContain('ended unexpectedly (SIGKILL)');
    expect(children.filter(isAlive)).toEqual([]);
  });
});

const isLinux = existsSync('/proc/self/task');

/** The processes that a program has started; empty where there is no /proc. */
function childrenOf({ process: { pid } }: Program): number[] {
  if (!isLinux || pid === undefined) return [];
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
