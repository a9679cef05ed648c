/** Flow control: what reaches the writer, what pausing does, and that large transfers leave room for small ones. */
import { HIGH_WATER_BYTES, LOW_WATER_BYTES, type Stream } from '@quic-swarm/transport';
import { expect, it } from 'vitest';
import { ask, deferred, isPattern, pattern, readAll, send, turn, until } from './streams.ts';
import type { MeetingSource } from './meeting.ts';

const CHUNK_BYTES = 256 * 1024;

/** Defines the tests. */
export function describeFlowControl(source: MeetingSource, transferBytes: number): void {
  describeTransfers(source, transferBytes);
  describePausing(source);
}

function describeTransfers(source: MeetingSource, transferBytes: number): void {
  it(
    'moves megabytes each way past slow readers with a bounded queue',
    { timeout: 60_000 },
    async () => {
      const arrived = deferred<Stream>();
      source().server.onStream = arrived.resolve;
      const stream = await source().client.openStream();
      stream.write(pattern(0, 1));
      const other = await arrived.promise;
      const reading = [readSlowly(other), readSlowly(stream)];
      const writing = await Promise.all([
        writeMuch(stream, 1, transferBytes),
        writeMuch(other, 0, transferBytes),
      ]);
      expect(await Promise.all(reading)).toEqual([transferBytes, transferBytes]);
      for (const { refusals, queuedMax } of writing) {
        expect(refusals).toBeGreaterThan(0);
        expect(queuedMax).toBeLessThanOrEqual(HIGH_WATER_BYTES + CHUNK_BYTES);
      }
    },
  );

  it('lets small messages through while a large transfer runs', { timeout: 60_000 }, async () => {
    const { client, server } = source();
    let bulkBytes = 0;
    const bulkEnd = deferred();
    server.onStream = (stream) => {
      let isBulk: boolean | undefined;
      stream.onEnd = () => {
        if (isBulk === true) bulkEnd.resolve();
        else stream.end();
      };
      stream.onData = (bytes) => {
        isBulk ??= bytes[0] === 0;
        if (isBulk) bulkBytes += bytes.length;
        else stream.write(Uint8Array.from(bytes));
      };
    };
    const bulk = await client.openStream({ urgency: 255 });
    const written = writeMuch(bulk, 0, transferBytes);
    await until(() => bulkBytes > 0);
    const progress: number[] = [];
    for (let index = 0; index < 10; index += 1) {
      expect(await ask(client, `small ${index}`)).toBe(`small ${index}`);
      progress.push(bulkBytes);
    }
    // The transfer was under way while the small ones came back: none of them waited for its end.
    expect(progress.at(0)).toBeLessThan(transferBytes);
    expect(progress.at(4)).toBeLessThan(transferBytes);
    await written;
    await bulkEnd.promise;
    expect(bulkBytes).toBe(transferBytes);
  });

  it('holds the writer back while nobody reads, and lets go when somebody does', async () => {
    const arrived = deferred<Stream>();
    source().server.onStream = arrived.resolve;
    const stream = await source().client.openStream();
    let written = 0;
    let hasRoom = true;
    // The peer's window and the queue are finite, so this ends.
    for (let idle = 0; idle < 50; idle = hasRoom ? 0 : idle + 1) {
      while (hasRoom) {
        hasRoom = stream.write(pattern(written, CHUNK_BYTES));
        written += CHUNK_BYTES;
      }
      await turn();
      hasRoom = stream.queuedBytes <= HIGH_WATER_BYTES;
    }
    expect(stream.queuedBytes).toBeGreaterThan(HIGH_WATER_BYTES);
    let isDrained = false;
    const drained = stream.drained().then(() => {
      isDrained = true;
    });
    await turn();
    expect(isDrained).toBe(false);
    stream.end();
    const bytes = await readAll(await arrived.promise);
    await drained;
    expect(stream.queuedBytes).toBeLessThanOrEqual(LOW_WATER_BYTES);
    expect(bytes.length).toBe(written);
    expect(isPattern(bytes, 0)).toBe(true);
  });
}

function describePausing(source: MeetingSource): void {
  it('delivers nothing while paused and everything afterwards', async () => {
    const arrived = deferred<Stream>();
    source().server.onStream = arrived.resolve;
    const stream = await source().client.openStream();
    stream.write(pattern(0, 1000));
    const other = await arrived.promise;
    const received: Buffer[] = [];
    const first = deferred();
    let isEnded = false;
    const end = deferred();
    other.onEnd = () => {
      isEnded = true;
      end.resolve();
    };
    other.onData = (bytes) => {
      received.push(Buffer.from(bytes));
      other.pause();
      first.resolve();
    };
    await first.promise;
    const before = received.length;
    stream.write(pattern(1000, 5000));
    stream.end();
    // A round trip on another stream shows that the bytes are there and were not delivered.
    const arrivedLater = deferred<Stream>();
    source().server.onStream = arrivedLater.resolve;
    const later = await source().client.openStream();
    send(later, 'later');
    await readAll(await arrivedLater.promise);
    expect(received.length).toBe(before);
    expect(isEnded).toBe(false);
    other.onData = (bytes) => {
      received.push(Buffer.from(bytes));
    };
    other.resume();
    await end.promise;
    const bytes = Buffer.concat(received);
    expect(bytes.length).toBe(6000);
    expect(isPattern(bytes, 0)).toBe(true);
  });

  it('lends bytes to onData for the call only', async () => {
    const arrived = deferred<Stream>();
    source().server.onStream = arrived.resolve;
    const stream = await source().client.openStream();
    const kept: Uint8Array[] = [];
    stream.write(pattern(0, 10_000));
    const other = await arrived.promise;
    let count = 0;
    const second = deferred();
    other.onData = (bytes) => {
      kept.push(bytes);
      count += bytes.length;
      if (count === 20_000) second.resolve();
    };
    await until(() => count === 10_000);
    stream.write(new Uint8Array(10_000).fill(0xee));
    await second.promise;
    // Whoever keeps a view sees it overwritten: the promise of the contract is not more than this.
    expect(isPattern(Buffer.concat(kept).subarray(0, 10_000), 0)).toBe(false);
  });
}

/** Writes the pattern from an offset to the end of the transfer, waiting whenever `write` says so. */
async function writeMuch(
  stream: Stream,
  offset: number,
  transferBytes: number,
): Promise<{ refusals: number; queuedMax: number }> {
  let refusals = 0;
  let queuedMax = 0;
  for (let at = offset; at < transferBytes; at += CHUNK_BYTES) {
    const hasRoom = stream.write(pattern(at, Math.min(CHUNK_BYTES, transferBytes - at)));
    queuedMax = Math.max(queuedMax, stream.queuedBytes);
    if (hasRoom) continue;
    refusals += 1;
    await stream.drained();
    expect(stream.queuedBytes).toBeLessThanOrEqual(LOW_WATER_BYTES);
  }
  stream.end();
  return { refusals, queuedMax };
}

/** Reads the pattern to its end, pausing after every half megabyte for some turns; how many bytes came. */
async function readSlowly(stream: Stream): Promise<number> {
  const { promise, resolve, reject } = deferred<number>();
  let count = 0;
  let untilPause = CHUNK_BYTES;
  stream.onError = reject;
  stream.onEnd = () => {
    resolve(count);
  };
  stream.onData = (bytes) => {
    if (!isPattern(bytes, count)) reject(new Error(`Wrong bytes after ${count}.`));
    count += bytes.length;
    untilPause -= bytes.length;
    if (untilPause > 0) return;
    untilPause = 2 * CHUNK_BYTES;
    stream.pause();
    void turn()
      .then(turn)
      .then(() => {
        stream.resume();
      });
  };
  return promise;
}
