/** Whoever leaves in good order stays until large results have left it, however slowly the other side reads. */
import { decodeDocument, encodeDocument } from '@quic-swarm/protocol';
import { TestSwarm } from '@quic-swarm/testkit';
import type { Stream } from '@quic-swarm/transport';
import { describe, expect, it } from 'vitest';
import { HandMadeClient } from '../support/hand-made-client.ts';

/** More than the windows of one stream and the queue before it take. */
const LARGE = 24 * 1024 * 1024;
const TASK_ID = '00000000-0000-7000-8000-000000000001';

describe.each(['memory', 'quic'] as const)('a coordinator that drains over %s', (transport) => {
  it('says goodbye only when a client that reads slowly has its result', async () => {
    await using swarm = await TestSwarm.start({
      transport,
      agents: [
        {
          id: 'worker',
          type: 'compute',
          handlers: { fill: (length) => new Uint8Array(length as number).fill(7) },
        },
      ],
    });
    const slow = await HandMadeClient.join(swarm);
    const held = new Promise<Stream>((resolve) => {
      slow.connection.onStream = (stream) => {
        resolve(stream);
      };
    });
    await slow.open('client', [
      {
        type: 'SubmitTask',
        body: {
          requestId: 1,
          taskId: TASK_ID,
          taskType: 'fill',
          datasets: [],
          watch: 'result',
          payload: encodeDocument(LARGE),
        },
      },
    ]);
    // The stream of the result is known, and nothing of it was read.
    const stream = await held;
    expect(swarm.coordinator.status().tasks.byState).toMatchObject({ succeeded: 1 });
    const drained = swarm.coordinator.drain({ graceMs: 60_000 });
    // An answer, and not the farewell, follows: the coordinator has begun to drain and still stays.
    slow.say({ type: 'QueryStatus', body: { requestId: 2, view: 'summary' } });
    expect((await slow.next('StatusReport', 'Goodbye')).type).toBe('StatusReport');
    slow.read(stream);
    const { body } = await slow.next('TaskEvent');
    const result = decodeDocument(body.payload ?? new Uint8Array(0)) as Uint8Array;
    expect(result).toHaveLength(LARGE);
    expect(result.every((byte) => byte === 7)).toBe(true);
    expect((await slow.next('Goodbye')).body.reason).not.toBe('');
    await drained;
  });
});
