import { INDICATOR_NAMES } from '@quic-swarm/kernels';
import { describe, expect, it } from 'vitest';
import { parseDuration, formatDuration } from '../src/command-line/duration.ts';
import { completionsFor } from '../src/command-line/completions.ts';
import { AGENT_TYPES } from '../src/command-line/names.ts';
import { parseCommandLine } from '../src/command-line/parser.ts';
import type { CommandSpecification } from '../src/command-line/specification.ts';
import { nearest } from '../src/command-line/suggestion.ts';
import { AGENT, COORDINATOR } from '../src/specifications/servers.ts';
import { SWARM } from '../src/specifications/swarm.ts';
import { valuesOf } from './command-lines.ts';

const version = '0.0.0';

describe('parseCommandLine', () => {
  it.each<[string, CommandSpecification, string[], string, string]>([
    ['no command', SWARM, [], 'which command?', 'Known: demo, coordinator'],
    ['an unknown command', SWARM, ['submitt'], '"submitt" is no command', 'Did you mean "submit"?'],
    [
      'a nested one',
      SWARM,
      ['submit', 'patern'],
      '"patern" is no command of swarm submit',
      '"pattern"',
    ],
    [
      'a group without command',
      SWARM,
      ['submit'],
      'swarm submit: which command?',
      'Known: pattern',
    ],
    [
      'an unknown option',
      SWARM,
      ['submit', 'pattern', '--topp', '3'],
      '"topp" is neither',
      '--top',
    ],
    ['an unknown negation', SWARM, ['submit', 'pattern', '--no-wayt'], 'wayt', '--wait'],
    ['a word too many', COORDINATOR, ['127.0.0.1:0', 'extra'], '"extra" is neither', '--help'],
    [
      'a word that is no command where other words may stand',
      SWARM,
      ['agent', 'cordn', 'agent-1'],
      'swarm agent needs ADDR ID TYPE',
      'Or a command: swarm agent cordon, drain, resume.',
    ],
    ['a command behind such a word', SWARM, ['agent', 'cordon'], 'agent cordon needs ID', 'Usage:'],
    ['words too few', AGENT, ['127.0.0.1:5000', 'agent-1'], 'agent needs ADDR ID TYPE', 'Usage:'],
    [
      'an option without value',
      SWARM,
      ['submit', 'pattern', '--top'],
      '--top has no value',
      '--help',
    ],
  ])('explains %s', async (_what, program, words, message, hint) => {
    const parsing = parseCommandLine(program, words, { version });
    await expect(parsing).rejects.toMatchObject({
      type: 'BAD_OPTION',
      message: expect.stringContaining(message) as string,
      hint: expect.stringContaining(hint) as string,
    });
  });

  it.each<[CommandSpecification, string[]]>([
    [SWARM, ['--help']],
    [SWARM, ['submit', '--help']],
    [SWARM, ['submit', 'pattern', '--help']],
    [SWARM, ['agent', '--help']],
    [SWARM, ['agent', 'cordon', '--help']],
    [SWARM, ['deadletter', 'replay', '--help']],
    [SWARM, ['outcome', '--help']],
    [SWARM, ['result', '--help']],
    [SWARM, ['reasoning', 'reset', '--help']],
    [SWARM, ['certs', 'create', '--help']],
    [COORDINATOR, ['--help']],
    [AGENT, ['--help']],
  ])('prints a help of one screen with exit codes (%#)', async (program, words) => {
    const parsed = await parseCommandLine(program, words, { version });
    if (parsed.kind !== 'print') throw new Error('No text.');
    expect(parsed.text.split('Exit codes: 0 ok')).toHaveLength(2);
    expect(parsed.text.split('\n').length).toBeLessThan(50);
  });

  it('names every indicator in the help of submit features', async () => {
    const parsed = await parseCommandLine(SWARM, ['submit', 'features', '--help'], { version });
    if (parsed.kind !== 'print') throw new Error('No text.');
    for (const name of INDICATOR_NAMES) {
      expect(parsed.text).toMatch(new RegExp(String.raw`\b${name}(?:\d+(?:-\d+)*)?[ ,]`));
    }
  });

  it('names every agent type in the help of agent', async () => {
    const parsed = await parseCommandLine(AGENT, ['--help'], { version });
    for (const type of AGENT_TYPES)
      expect(parsed).toMatchObject({ text: expect.stringContaining(type) as string });
  });

  it('gives words as they were written', async () => {
    const values = await valuesOf(
      ['127.0.0.1:5000', '007', 'pattern', '--label', 'a=1', '--label', 'b=2', '--json'],
      AGENT,
    );
    expect(values.text('ID')).toBe('007');
    expect(values.texts('label')).toEqual(['a=1', 'b=2']);
    expect(values.isOn('json')).toBe(true);
    expect(values.isOn('debug')).toBe(false);
  });

  it.each([
    [SWARM, ['agent']],
    [AGENT, []],
  ])(
    'takes the first word behind agent for a command, and no later one (%#)',
    async (program, words) => {
      const order = await valuesOf([...words, 'cordon', 'a-1', '[::1]:1'], program);
      expect([order.text('ID'), order.text('ADDR')]).toEqual(['a-1', '[::1]:1']);
      const start = await valuesOf([...words, '[::1]:1', 'drain', 'trainer'], program);
      const names = ['ADDR', 'ID', 'TYPE'].map((name) => start.text(name));
      expect(names).toEqual(['[::1]:1', 'drain', 'trainer']);
    },
  );

  it('takes any number of words where they repeat', async () => {
    const replay = ['deadletter', 'replay'];
    expect((await valuesOf(replay)).texts('TASKID')).toEqual([]);
    const two = await valuesOf([...replay, 'a', 'b', '--address', 'c:1']);
    expect(two.texts('TASKID')).toEqual(['a', 'b']);
    expect(two.text('address')).toBe('c:1');
  });

  it('takes - as a value', async () => {
    const values = await valuesOf(['submit', 'compute', '--task', 't', '--input', '-']);
    expect(values.text('input')).toBe('-');
  });

  it('keeps options out of the help that the text of another one names, and takes them all the same', async () => {
    const parsed = await parseCommandLine(SWARM, ['submit', 'pattern', '--help'], { version });
    if (parsed.kind !== 'print') throw new Error('No text.');
    for (const name of ['--context', '--series-id', '--step', '--no-shadow']) {
      expect(parsed.text.split(name), name).toHaveLength(2);
    }
    const values = await valuesOf([
      'submit',
      'pattern',
      '--learn',
      '--context=-1,2',
      '--no-shadow',
    ]);
    expect([values.isOn('learn'), values.list('context')]).toEqual([true, ['-1', '2']]);
    expect(values.switchState('shadow')).toBe(false);
  });

  it('turns switches off with --no-', async () => {
    const values = await valuesOf(['submit', 'compute', '--no-wait']);
    expect(values.isOn('wait')).toBe(false);
  });

  it('loads every command that it declares', async () => {
    const commands = [SWARM].flatMap(function flat(command): CommandSpecification[] {
      return command.commands === undefined ? [command] : command.commands.flatMap(flat);
    });
    expect(commands.length).toBeGreaterThan(15);
    for (const { load, name } of commands) {
      expect(await load?.(), name).toMatchObject({ run: expect.any(Function) as () => void });
    }
  }, 60_000);
});

describe('completionsFor', () => {
  it.each([
    ['swarm ', ['demo', 'coordinator', 'submit']],
    ['swarm st', ['status']],
    ['swarm result --addr', ['--address']],
    ['swarm submit ', ['pattern', 'correlation']],
    ['swarm submit pattern --al', ['--algorithm']],
    ['swarm submit pattern --algorithm ', ['dtw', 'lcss']],
    ['swarm submit pattern --wait --js', ['--json']],
    ['swarm agent 127.0.0.1:5000 agent-1 p', ['pattern']],
    ['swarm agent --threads 2 127.0.0.1:5000 agent-1 tr', ['trainer']],
    ['swarm agent c', ['cordon']],
    ['swarm agent 127.0.0.1:5000 drain p', ['pattern']],
    ['swarm agent drain --addr', ['--address']],
    ['swarm deadletter ', ['ls', 'replay', 'drop']],
    ['swarm reasoning ', ['ls', 'show', 'explain', 'export', 'import', 'reset', 'items', 'agents']],
    ['swarm reasoning show Vol', ['VolatilityForecast']],
    ['swarm submit compute --ser', ['--series-id']],
    ['swarm submit train --dur', ['--durable']],
    ['swarm submit pattern --series ', []],
    ['swarm nonsense ', ['demo']],
  ])('%s', (line, expected) => {
    const found = completionsFor(SWARM, line.split(' '));
    expect(found).toEqual(expected.length === 0 ? [] : expect.arrayContaining(expected));
  });
});

describe('Values', () => {
  it.each([
    [['--top', 'x'], 'top', '--top needs a whole number from 1 to 10, not "x".'],
    [['--top', '1.5'], 'top', '--top needs a whole number from 1 to 10, not "1.5".'],
    [['--top', '11'], 'top', '--top needs a whole number from 1 to 10, not "11".'],
    [['--top', '1', '--top', '2'], 'top', '--top was given 2 times.'],
  ])('refuses %j as a whole number', async (words, name, message) => {
    const values = await valuesOf(['submit', 'pattern', ...words]);
    expect(() => values.integer(name, { min: 1, max: 10 })).toThrow(message);
  });

  it('refuses words that are not among the choices, with the nearest', async () => {
    const values = await valuesOf(['submit', 'pattern', '--algorithm', 'dwt']);
    expect(() => values.choice('algorithm', ['dtw', 'lcss'])).toThrow(
      '--algorithm cannot be "dwt".',
    );
  });

  it('refuses lists with empty entries', async () => {
    const values = await valuesOf(['submit', 'correlation', '--columns', 'a,,b']);
    expect(() => values.list('columns')).toThrow('has an empty entry');
  });
});

describe('nearest', () => {
  it.each([
    ['patern', 'pattern'],
    ['PATTERN', 'pattern'],
    ['statregy', 'strategy'],
    ['traner', 'trainer'],
    ['rsi41', undefined],
    ['xyz', undefined],
    ['', undefined],
  ])('%s → %s', (typed, expected) => {
    expect(nearest(typed, AGENT_TYPES)).toBe(expected);
  });
});

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['3', 3000],
    ['0', 0],
    ['ten', undefined],
    ['-1s', undefined],
    ['1000h', undefined],
    ['', undefined],
  ])('%s is %s ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each([
    [0.123, '0.12 ms'],
    [12.34, '12.3 ms'],
    [1234, '1.23 s'],
    [200_000, '3 min'],
    [8_000_000, '2 h'],
    [400_000_000, '5 d'],
  ])('%s ms is shown as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});
