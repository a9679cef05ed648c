import { describe, expect, it } from 'vitest';
import { ERRORS, SwarmError, failure } from '@quic-swarm/protocol';
import { Interruption } from '../src/command-line/interruption.ts';
import { usageError } from '../src/output/command-error.ts';
import { EXIT, exitCodeOf, exitCodeOfState } from '../src/output/exit-codes.ts';
import { reportFailure } from '../src/output/failure-report.ts';
import { rowsOfSquare, toJson } from '../src/output/json.ts';
import { createLogger, readableLine } from '../src/output/logger.ts';
import { formatBytes, formatNumber, tableLines } from '../src/output/table.ts';
import { explainedConnectError } from '../src/session/client-session.ts';
import { SignalBox, keptTerminal } from './command-lines.ts';

describe('exit codes', () => {
  it.each([
    ['BAD_ADDRESS', 64],
    ['BAD_OPTION', 64],
    ['BAD_INPUT', 64],
    ['CONNECT_FAILED', 69],
    ['INTERNAL', 70],
    ['ADDRESS_IN_USE', 73],
    ['DUPLICATE_AGENT', 73],
    ['QUEUE_FULL', 75],
    ['TASK_TIMEOUT', 75],
    ['BAD_CERTIFICATE', 77],
    ['VERSION_MISMATCH', 78],
    ['TASK_FAILED', 1],
  ] as const)('%s ends with %i', (type, code) => {
    expect(exitCodeOf(new SwarmError(type, ''))).toBe(code);
  });

  it('exist for every error of the system', () => {
    const codes = Object.values(EXIT);
    for (const type of Object.keys(ERRORS)) {
      expect(codes).toContain(exitCodeOf({ type, code: 'UNKNOWN' }));
    }
  });

  it('take an error of a handler of the user for a failed task', () => {
    expect(exitCodeOf({ type: 'RangeError', code: 'UNKNOWN' })).toBe(1);
    expect(exitCodeOf({ type: 'toString', code: 'UNKNOWN' })).toBe(1);
  });

  it('follow from the state of a task', () => {
    expect(['succeeded', 'failed', 'cancelled', 'timed_out'].map(exitCodeOfState)).toEqual([
      0, 1, 1, 75,
    ]);
  });
});

describe('reportFailure', () => {
  it('tells a person what happened and what to do', () => {
    const { terminal, stdout, stderr } = keptTerminal();
    const error = usageError('--top needs a number.', 'Write --top 5.\nOr nothing.');
    expect(reportFailure(terminal, error, { json: false, debug: false })).toBe(64);
    expect(stderr.text).toBe('error: --top needs a number.\n  Write --top 5.\n  Or nothing.\n');
    expect(stdout.text).toBe('');
  });

  it('tells a script the same as one object on stdout', () => {
    const { terminal, stdout } = keptTerminal();
    reportFailure(terminal, SwarmError.fromFailure(failure('QUEUE_FULL', 'Full.')), {
      json: true,
      debug: false,
    });
    expect(JSON.parse(stdout.text)).toEqual({
      error: { code: 'RESOURCE_EXHAUSTED', type: 'QUEUE_FULL', message: 'Full.' },
    });
  });

  it('takes an unknown error for a bug and prints its stack with --debug only', () => {
    const quiet = keptTerminal();
    expect(
      reportFailure(quiet.terminal, new TypeError('oops'), { json: false, debug: false }),
    ).toBe(70);
    expect(quiet.stderr.text).toContain('--debug');
    expect(quiet.stderr.text).not.toContain('output.test.ts');
    const loud = keptTerminal();
    reportFailure(loud.terminal, new TypeError('oops'), { json: false, debug: true });
    expect(loud.stderr.text).toContain('output.test.ts');
  });

  it('names the command that starts a coordinator when nobody answered', () => {
    const { terminal, stderr } = keptTerminal();
    const thrown = new SwarmError('CONNECT_FAILED', 'Silence.');
    const error = explainedConnectError(thrown, '127.0.0.1:5000');
    expect(reportFailure(terminal, error, { json: false, debug: false })).toBe(69);
    expect(stderr.text).toContain('No coordinator answered at 127.0.0.1:5000. Silence.');
    expect(stderr.text).toContain('coordinator 127.0.0.1:5000');
  });
});

describe('Terminal', () => {
  const painted = (options: Parameters<typeof keptTerminal>[0]): boolean =>
    keptTerminal(options).terminal.paint('red', 'x') !== 'x';

  it('paints in a terminal, unless somebody does not want it', () => {
    expect(painted({ isTTY: true })).toBe(true);
    expect(painted({ isTTY: false })).toBe(false);
    expect(painted({ isTTY: true, environment: { NO_COLOR: '1' } })).toBe(false);
    expect(painted({ isTTY: true, environment: { NO_COLOR: '' } })).toBe(true);
    expect(painted({ isTTY: true, environment: { TERM: 'dumb' } })).toBe(false);
    expect(painted({ isTTY: true, color: false })).toBe(false);
    expect(painted({ isTTY: false, environment: { FORCE_COLOR: '1' } })).toBe(true);
  });

  it('uses signs beyond ASCII in UTF-8 locales only', () => {
    expect(keptTerminal({ environment: { LANG: 'C.UTF-8' } }).terminal.sign('✔', 'ok')).toBe('✔');
    expect(
      keptTerminal({ environment: { LC_ALL: 'C', LANG: 'C.UTF-8' } }).terminal.sign('✔', 'ok'),
    ).toBe('ok');
  });
});

describe('toJson', () => {
  it('writes typed arrays as lists, gaps as null and bytes as base64', () => {
    expect(
      toJson({
        values: new Float64Array([1.5, Number.NaN, Number.POSITIVE_INFINITY]),
        counts: new Uint32Array([1, 2]),
        small: [new Int8Array([-1]), new Float32Array([0.5])],
        bytes: new Uint8Array([1, 2, 3]),
        nested: { nothing: undefined, gap: Number.NaN },
      }),
    ).toBe(
      '{"values":[1.5,null,null],"counts":[1,2],"small":[[-1],[0.5]],"bytes":"AQID","nested":{"gap":null}}',
    );
  });

  it('cuts a square into rows', () => {
    expect(rowsOfSquare([1, 2, 3, 4], 2)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });
});

describe('tables', () => {
  it('align their columns', () => {
    const lines = tableLines(
      [
        { title: 'name', text: (row: { name: string; n: number }) => row.name },
        { title: 'n', align: 'right', text: (row) => String(row.n) },
      ],
      [
        { name: 'a', n: 1 },
        { name: 'longer', n: 100 },
      ],
    );
    expect(lines).toEqual(['name      n', 'a         1', 'longer  100']);
  });

  it('show bytes and numbers', () => {
    expect([0, 1023, 1024, 10_485_760, 5e12].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '10 MiB',
      '4.5 TiB',
    ]);
    expect([1 / 3, Number.NaN, 1234567.8].map((value) => formatNumber(value))).toEqual([
      '0.333333',
      '-',
      '1234570',
    ]);
  });
});

describe('logs', () => {
  it('are JSON lines on stderr, or readable where a person watches', () => {
    const piped = keptTerminal();
    createLogger(piped.terminal).info({ agentId: 'a-1' }, 'joined');
    expect(JSON.parse(piped.stderr.text)).toMatchObject({
      level: 30,
      msg: 'joined',
      agentId: 'a-1',
    });
    const watched = keptTerminal({ isTTY: true, environment: { NO_COLOR: '1' } });
    createLogger(watched.terminal).warn({ agentId: 'a-1', n: 2 }, 'late');
    expect(watched.stderr.text).toMatch(/^\d\d:\d\d:\d\d warn {2}late agentId=a-1 n=2\n$/);
    expect(piped.stdout.text + watched.stdout.text).toBe('');
  });

  it('respect the level and refuse an unknown one', () => {
    const { terminal, stderr } = keptTerminal();
    createLogger(terminal, 'warn').info('quiet');
    expect(stderr.text).toBe('');
    expect(() => createLogger(terminal, 'wran')).toThrow('--log-level cannot be "wran".');
    expect(readableLine('{"level":99,"time":0,"msg":"x"}', terminal)).toContain('x');
  });
});

describe('Interruption', () => {
  it('aborts with the first signal and ends the process with the second', async () => {
    const source = new SignalBox();
    const interruption = new Interruption(source);
    expect(interruption.exitCode).toBeUndefined();
    source.raise('SIGINT');
    expect(interruption.signal.aborted).toBe(true);
    expect(await interruption.whenInterrupted).toBe('interrupted');
    expect(interruption.exitCode).toBe(130);
    expect(source.exits).toEqual([]);
    source.raise('SIGTERM');
    expect(source.exits).toEqual([143]);
  });

  it('takes the end of the parent for SIGTERM, once', () => {
    const source = new SignalBox(true);
    const interruption = new Interruption(source);
    source.raise('disconnect');
    source.raise('disconnect');
    expect(interruption.received).toBe('SIGTERM');
    expect(source.exits).toEqual([]);
  });

  it('notices that the parent went away before it listened', () => {
    expect(new Interruption(new SignalBox(false)).received).toBe('SIGTERM');
  });

  it('lets work win or throws its reason', async () => {
    const source = new SignalBox();
    const interruption = new Interruption(source);
    expect(await interruption.orInterrupted(Promise.resolve(7))).toBe(7);
    const waiting = interruption.orInterrupted(new Promise(() => undefined));
    source.raise('SIGTERM');
    await expect(waiting).rejects.toBe(interruption.signal.reason);
    interruption.dispose();
    source.raise('SIGINT');
    expect(source.exits).toEqual([]);
  });
});
