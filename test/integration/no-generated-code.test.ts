/** Where code must not be made from text, as on a page with a strict content security policy, messages travel as everywhere. */
import { expect, it } from 'vitest';
import { Program } from '../support/program.ts';

const SCRIPT = `
  import { MessageReader, encodeFrame } from '@quic-swarm/protocol';
  const received = [];
  const reader = new MessageReader({ onMessage: ({ body }) => received.push(body) });
  for (const credit of [1, 2]) reader.push(encodeFrame({ type: 'CreditGrant', body: { credit } }));
  console.log(JSON.stringify(received));
  try { new Function(''); } catch (error) { console.log(error.name); }
`;

it('messages are read and written without generated code', async () => {
  await using program = new Program([
    '--disallow-code-generation-from-strings',
    '--input-type=module',
    '--eval',
    SCRIPT,
  ]);
  expect(await program.ended).toMatchObject({
    code: 0,
    stdout: '[{"credit":1},{"credit":2}]\nEvalError\n',
  });
});
