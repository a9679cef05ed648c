/**
 * Checks what a user asked for before it leaves: a coordinator answers a message that breaks its schema by closing the
 * connection, and one wrong option should not cost all other tasks theirs.
 */
import {
  FRAME_LENGTH_BYTES,
  SwarmError,
  decodeBody,
  encodeFrame,
  isSwarmError,
  type Message,
} from '@quic-swarm/protocol';

/** Throws BAD_OPTION, naming the first wrong field, unless the message (without its payload) fits its schema. */
export function checkMessage(message: Message): void {
  const { payload: _unchecked, ...body } = message.body as { payload?: Uint8Array };
  try {
    const envelope = { type: message.type, body } as unknown as Message;
    decodeBody(message.type, encodeFrame(envelope).subarray(FRAME_LENGTH_BYTES + 1));
  } catch (error) {
    const why = isSwarmError(error) ? error.message : String(error);
    throw new SwarmError('BAD_OPTION', why, { cause: error });
  }
}
