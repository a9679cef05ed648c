/** One question and its answer on a data set stream. */
import {
  MessageReader,
  NO_ERROR_WIRE_CODE,
  SwarmError,
  encodeFrame,
  isExpected,
  isSwarmError,
  type Message,
  type MessageOf,
} from '@quic-swarm/protocol';
import { decoded, type Stream } from '@quic-swarm/transport';
import { writeAll, type CoordinatorConnection } from './connection.ts';

/** How long to wait for the coordinator once it has everything, and between two pieces of its answer. A gigabyte takes
 *  it seconds to hash. */
const SILENCE_MS = 30_000;

/**
 * Sends PutDataset or GetDataset with its payload and resolves with what comes back.
 * @throws the failure that the coordinator reports; BAD_ENCODING; CONNECTION_LOST, also after 30 s of silence; STREAM_RESET
 */
export async function exchange(
  connection: CoordinatorConnection,
  message: MessageOf<'PutDataset'> | MessageOf<'GetDataset'>,
): Promise<Message> {
  const { coder, ack } = connection;
  const { datasetBytesMax } = ack.grants;
  const prepared = await coder.outgoing(message);
  const stream = await connection.openBulkStream();
  const answer = answerOn(stream, datasetBytesMax);
  try {
    await writeAll(stream, [encodeFrame({ type: 'StreamOpen', body: { purpose: 'dataset' } })]);
    await Promise.race([connection.writeMessage(stream, prepared), answer.promise]);
    stream.end();
    answer.expect();
    const received = await answer.promise;
    if (received.type === 'ErrorReport') throw SwarmError.fromFailure(received.body.failure);
    coder.check(received, datasetBytesMax);
    return await decoded(received);
  } catch (error) {
    stream.reset({ wireCode: NO_ERROR_WIRE_CODE, message: 'not wanted any more' });
    throw error;
  } finally {
    answer.stop();
  }
}

interface Answer {
  readonly promise: Promise<Message>;
  /** Everything was sent: from now on silence is measured. */
  expect(): void;
  stop(): void;
}

function answerOn(stream: Stream, payloadBytesMax: number): Answer {
  let timer: NodeJS.Timeout | undefined;
  let isExpecting = false;
  let onSilence = (): void => {};
  const rearm = (): void => {
    clearTimeout(timer);
    if (isExpecting) timer = setTimeout(onSilence, SILENCE_MS);
  };
  const promise = new Promise<Message>((resolve, reject) => {
    onSilence = () => {
      reject(new SwarmError('CONNECTION_LOST', `The coordinator was silent for ${SILENCE_MS} ms.`));
    };
    const reader = new MessageReader({
      payloadBytesMax,
      onMessage: (message) => {
        if (isExpected(message.type, 'coordinator', 'dataset')) resolve(message);
        else reject(new SwarmError('UNEXPECTED_MESSAGE', `${message.type} on a dataset stream.`));
      },
    });
    stream.onData = (bytes) => {
      rearm();
      try {
        reader.push(bytes);
      } catch (error) {
        reject(isSwarmError(error) ? error : new SwarmError('INTERNAL', String(error)));
      }
    };
    stream.onEnd = () => {
      reject(new SwarmError('CONNECTION_LOST', 'The coordinator ended the stream unanswered.'));
    };
    stream.onError = reject;
  });
  // It may fail while the upload still runs, which then fails for the same reason and is the one to report it.
  promise.catch(() => {});
  return {
    promise,
    expect: () => {
      isExpecting = true;
      rearm();
    },
    stop: () => {
      isExpecting = false;
      clearTimeout(timer);
    },
  };
}
