/** How large datagrams become: what the path proves, and what happens when it does not. */
import { ask, pattern, serveEcho, until, readAll } from '@quic-swarm/testkit';
import { describe, expect, it } from 'vitest';
import { payloadRange } from '../src/quic/config-table.ts';
import { payloadBytesAt, payloadBytesTowards } from '../src/quic/path/interface-mtu.ts';
import { PathProbe } from '../src/quic/path/path-probe.ts';
import { decodeProbe, encodeProbe } from '../src/quic/path/probe-packet.ts';
import { connecting, meetForTest, serving, tap } from './quic-pair.ts';

const PROBING = { maxUdpPayloadBytes: { probeUpTo: 8952 } } as const;

describe('a connection that probes its path', () => {
  it('uses large datagrams once one came through', async () => {
    const client = tap();
    const sizes: number[] = [];
    client.onSend = (datagram) => sizes.push(datagram.length);
    const meeting = await meetForTest(
      serving(PROBING),
      connecting({ ...PROBING, createSocket: client.createSocket }),
      serveEcho,
    );
    await until(() => meeting.client.statistics().udpPayloadBytes === 8952);
    await until(() => meeting.server.statistics().udpPayloadBytes === 8952);
    sizes.length = 0;
    const text = 'x'.repeat(200_000);
    expect(await ask(meeting.client, text)).toBe(text);
    expect(Math.max(...sizes)).toBe(8952);
  });

  it('stays with what the path carries', async () => {
    const client = tap();
    client.bytesMax = 4500;
    const meeting = await meetForTest(
      serving(PROBING),
      connecting({ ...PROBING, createSocket: client.createSocket }),
      serveEcho,
    );
    // Three probes of the largest size get lost first.
    await until(() => meeting.client.statistics().udpPayloadBytes !== 1350);
    expect(meeting.client.statistics().udpPayloadBytes).toBe(4096);
    const text = 'x'.repeat(100_000);
    expect(await ask(meeting.client, text)).toBe(text);
  }, 20_000);

  it('falls back when large datagrams vanish, and loses nothing', async () => {
    const client = tap();
    const meeting = await meetForTest(
      serving(PROBING),
      connecting({ ...PROBING, createSocket: client.createSocket }),
      serveEcho,
    );
    await until(() => meeting.client.statistics().udpPayloadBytes === 8952);
    client.bytesMax = 1400;
    const bytes = pattern(0, 300_000);
    const stream = await meeting.client.openStream();
    const answer = readAll(stream);
    stream.write(bytes);
    stream.end();
    expect((await answer).equals(bytes)).toBe(true);
    expect(meeting.client.statistics().udpPayloadBytes).toBe(1350);
  }, 20_000);

  it('keeps the safe size with a peer that does not answer', async () => {
    const client = tap();
    const probes: number[] = [];
    client.onSend = (datagram) => {
      if (datagram[0] === 0x0c) probes.push(datagram.length);
    };
    const server = tap();
    const meeting = await meetForTest(
      serving({ createSocket: server.createSocket }),
      connecting({ ...PROBING, createSocket: client.createSocket }),
      serveEcho,
    );
    server.onSend = (datagram) => {
      if (datagram[0] === 0x0d) datagram.fill(0);
    };
    await until(() => probes.length === 2);
    expect(probes).toEqual([8952, 8952]);
    expect(meeting.client.statistics().udpPayloadBytes).toBe(1350);
  });

  it('sends no probes over loopback by itself', async () => {
    const client = tap();
    const first: number[] = [];
    client.onSend = (datagram) => first.push(datagram[0] ?? 0);
    const meeting = await meetForTest(
      serving(),
      connecting({ createSocket: client.createSocket }),
      serveEcho,
    );
    expect(await ask(meeting.client, 'x'.repeat(50_000))).toHaveLength(50_000);
    expect(first).not.toContain(0x0c);
    expect(meeting.client.statistics().udpPayloadBytes).toBe(9000);
  });
});

describe('the search for a size', () => {
  const RANGE = { startBytes: 1350, ceilingBytes: 8952 };

  function begun(): PathProbe {
    const probe = new PathProbe(RANGE);
    expect(probe.dueAtMs).toBe(Infinity);
    probe.begin(0);
    return probe;
  }

  /** All probes that are sent while nothing is answered, with their times. */
  function unanswered(probe: PathProbe): [number, number][] {
    const sent: [number, number][] = [];
    while (probe.dueAtMs < 500_000) {
      const nowMs = probe.dueAtMs;
      const size = probe.poll(nowMs);
      if (size !== undefined) sent.push([nowMs, size]);
    }
    return sent;
  }

  it('tries three sizes three times each and rests for ten minutes', () => {
    const probe = begun();
    const sent = unanswered(probe);
    expect(sent.map(([, size]) => size)).toEqual([
      8952, 8952, 8952, 4096, 4096, 4096, 1472, 1472, 1472,
    ]);
    // 250, 500 and 1,000 ms are waited for the answers of each size.
    expect(sent.map(([nowMs]) => nowMs)).toEqual([0, 250, 750, 1750, 2000, 2500, 3500, 3750, 4250]);
    expect(probe.bytes).toBe(1350);
    expect(probe.dueAtMs).toBe(5250 + 600_000);
    expect(probe.poll(probe.dueAtMs)).toBe(8952);
  });

  it('looks for more after a while when it found less than the ceiling', () => {
    const probe = begun();
    probe.answered(4096, 100);
    expect(probe.bytes).toBe(4096);
    expect(probe.dueAtMs).toBe(600_100);
    expect(probe.poll(600_100)).toBe(8952);
    probe.answered(8952, 600_200);
    expect([probe.bytes, probe.dueAtMs]).toEqual([8952, Infinity]);
  });

  it('ignores answers about sizes that it did not ask for', () => {
    const probe = begun();
    probe.answered(60_000, 1);
    probe.answered(1300, 1);
    expect(probe.bytes).toBe(1350);
  });

  it('gives a size up when half of what was sent with it is lost, not for less', () => {
    const probe = begun();
    probe.answered(8952, 1);
    probe.noteSent(100);
    probe.noteLosses(10, 2);
    probe.noteSent(4);
    probe.noteLosses(12, 3);
    expect(probe.bytes).toBe(8952);
    probe.noteSent(6);
    probe.noteLosses(15, 4);
    expect(probe.bytes).toBe(1350);
    expect(probe.dueAtMs).toBe(4 + 600_000);
  });

  it('gives a size up after two time-outs without a word, not when the peer spoke between', () => {
    const probe = begun();
    probe.answered(8952, 1);
    probe.noteTimeout(2);
    probe.noteTimeout(3);
    expect(probe.bytes).toBe(8952);
    probe.noteSent(1);
    probe.noteTimeout(4);
    probe.noteReceived();
    probe.noteTimeout(5);
    expect(probe.bytes).toBe(8952);
    probe.noteTimeout(6);
    expect(probe.bytes).toBe(1350);
  });

  it('has nothing to search where start and ceiling are one', () => {
    const probe = new PathProbe({ startBytes: 9000, ceilingBytes: 9000 });
    probe.begin(0);
    expect(probe.dueAtMs).toBe(Infinity);
    probe.noteSent(10);
    probe.noteTimeout(1);
    probe.noteTimeout(2);
    probe.noteLosses(100, 3);
    expect([probe.bytes, probe.isSuspicious]).toEqual([9000, false]);
  });
});

describe('the sizes of a path', () => {
  it.each([
    ['a number', 1200, '10.0.0.1', 9000, 1200, 1200],
    ['loopback', 'auto', '127.0.0.1', undefined, 9000, 9000],
    ['an Ethernet', 'auto', '10.0.0.1', 1472, 1350, 1472],
    ['jumbo frames', 'auto', '10.0.0.1', 65_000, 1350, 8952],
    ['an interface that is not known', 'auto', '10.0.0.1', undefined, 1350, 1350],
    ['a tunnel that takes less', 'auto', '10.0.0.1', 1232, 1350, 1350],
    ['a wish', { probeUpTo: 4000 }, '127.0.0.1', undefined, 1350, 4000],
  ] as const)('%s', (_, option, host, interfaceBytes, startBytes, ceilingBytes) => {
    expect(payloadRange(option, host, interfaceBytes)).toEqual({ startBytes, ceilingBytes });
  });

  it('knows the loopback interface where the system tells', async () => {
    const bytes = payloadBytesAt('127.0.0.1');
    expect(bytes === undefined || bytes >= 1472).toBe(true);
    expect(await payloadBytesTowards('127.0.0.1')).toBe(bytes);
    expect(payloadBytesAt('192.0.2.77')).toBeUndefined();
  });
});

describe('a probe', () => {
  const connectionId = Uint8Array.from({ length: 20 }, (_, index) => index + 1);
  const nonce = Uint8Array.from({ length: 8 }, (_, index) => index + 100);

  it('is as large as it says, its answer is small, and both come back as they were', () => {
    const ask_ = encodeProbe(connectionId, { kind: 'ask', nonce, size: 4096 });
    expect(ask_.length).toBe(4096);
    expect(Uint8Array.from(ask_.subarray(1, 21))).toEqual(connectionId);
    expect(decodeProbe(ask_)).toEqual({ kind: 'ask', nonce, size: 4096 });
    const answer = encodeProbe(connectionId, { kind: 'answer', nonce, size: 4096 });
    expect(answer.length).toBe(31);
    expect(decodeProbe(answer)).toEqual({ kind: 'answer', nonce, size: 4096 });
    // RFC 9000 §17: both first bits of a packet of QUIC would not be zero.
    expect([(ask_[0] ?? 0) >> 6, (answer[0] ?? 0) >> 6]).toEqual([0, 0]);
  });

  it('is nothing when it was cut or claims another size', () => {
    const packet = encodeProbe(connectionId, { kind: 'ask', nonce, size: 4096 });
    expect(decodeProbe(packet.subarray(0, 4000))).toBeUndefined();
    expect(decodeProbe(packet.subarray(0, 30))).toBeUndefined();
    expect(decodeProbe(new Uint8Array(0))).toBeUndefined();
  });
});
