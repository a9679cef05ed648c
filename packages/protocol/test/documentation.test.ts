/** docs/protocol.md says what the code does: every message, field, type, limit, error and example. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  AGENT_TYPE_OF_TASK,
  ALPN,
  ERRORS,
  FEATURES,
  MESSAGES,
  NO_ERROR_WIRE_CODE,
  PROTOCOL_MAX,
  PROTOCOL_MIN,
  STREAM_PURPOSES,
  TABLE_MEDIA_TYPE,
  TASK_DOCUMENTS,
  negotiateVersion,
  type ErrorType,
} from '../src/index.ts';
import { decodeCbor } from '../src/cbor.ts';
import * as limits from '../src/limits.ts';
import { messageTypes, type SchemaView } from './support/arbitrary-messages.ts';
import { DOCUMENTS, RECORDS, SIMPLE, fieldsOf } from './support/described-schema.ts';
import { makeVectors } from './make-vectors.ts';

const text = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
const vectors = makeVectors();

/** What stands under a heading, up to the next one of its level or above. */
function sectionOf(heading: string): string {
  const [mark = ''] = heading.split(' ');
  const start = text.indexOf(`\n${heading}\n`);
  if (start < 0) throw new Error(`There is no heading "${heading}".`);
  const rest = text.slice(start + heading.length + 2);
  const end = rest.search(new RegExp(`^#{1,${mark.length}} `, 'mu'));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The rows of the first table in a text, without its head. */
function rowsOf(section: string): string[][] {
  const [table = ''] = /(?:^\|.*\n)+/mu.exec(section) ?? [];
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .split(/(?<!\\)\|/u)
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

function tableNamed(name: string): string[][] {
  const start = text.indexOf(`<!-- table: ${name} -->`);
  if (start < 0) throw new Error(`There is no table "${name}".`);
  return rowsOf(text.slice(start));
}

function expectFields(section: string, schema: SchemaView): void {
  const rows = rowsOf(section);
  const documented = rows.map(([field, type]) => `${field}: ${type}`);
  const real = fieldsOf(schema).map(
    ({ path, type, isOptional }) => `\`${path}${isOptional ? '?' : ''}\`: ${type}`,
  );
  expect(documented).toStrictEqual(real);
  for (const [field, , meaning = ''] of rows) expect(meaning, field).not.toBe('');
}

/** The bytes of an annotated block: pairs of digits, up to the remark. */
function bytesBelow(comment: string): string {
  const start = text.indexOf(`<!-- ${comment} -->`);
  const [, block = ''] = /^```\n([\s\S]*?)^```/mu.exec(text.slice(start)) ?? [];
  return block
    .split('\n')
    .map((line) =>
      (/^(?:[0-9a-f]{2}(?: (?=[0-9a-f]{2}\b)|$| {2,}))+/u.exec(line)?.[0] ?? '').trim(),
    )
    .join('')
    .replaceAll(' ', '');
}

describe.each(messageTypes)('the section on %s', (type) => {
  const { number, from, on, schema } = MESSAGES[type];
  const section = sectionOf(`#### ${type}`);

  test('gives its number, its senders and its streams', () => {
    const streams = on.map((kind) => `\`${kind}\``).join(', ');
    const hex = number.toString(16).padStart(2, '0');
    expect(section.trim()).toMatch(`\`0x${hex}\`, from ${from.join(', ')}, on ${streams}. `);
  });

  test('has every field with its type', () => {
    expectFields(section, schema as SchemaView);
  });
});

test('there are no other messages', () => {
  const headings = [...text.matchAll(/^#### (.*)$/gmu)].map(([, heading = '']) => heading);
  expect(headings.sort()).toStrictEqual([...messageTypes].sort());
});

test.each(Object.keys(RECORDS).filter((name) => name !== 'verdict' && name !== 'experience'))(
  'the record %s has every field with its type',
  (name) => {
    expectFields(sectionOf(`### ${name}`), RECORDS[name] ?? {});
  },
);

test.each(Object.keys(DOCUMENTS))('the document %s has every field with its type', (name) => {
  expectFields(sectionOf(`### ${name}`), DOCUMENTS[name] ?? {});
});

test('the built-in task types are listed with their agents, inputs and results', () => {
  const documented = tableNamed('documents').map(([taskType, agentType, input, result]) => ({
    taskType,
    agentType: agentType?.replaceAll('`', ''),
    input: input?.replace(/^\[(.*)\].*$/u, '$1'),
    result: result?.replace(/^\[(.*)\].*$/u, '$1'),
  }));
  const real = Object.entries(TASK_DOCUMENTS).map(([taskType, { resultType }]) => ({
    taskType,
    agentType: AGENT_TYPE_OF_TASK[taskType as keyof typeof AGENT_TYPE_OF_TASK],
    input: `${taskType} input`,
    result: resultType,
  }));
  expect(documented).toStrictEqual(real);
});

test('the limits are those of the code', () => {
  const documented = tableNamed('limits').map(([name, value]) => [
    name?.replaceAll('`', ''),
    Number(value),
  ]);
  expect(Object.fromEntries(documented)).toStrictEqual({ ...limits });
});

test('the types of texts and words are those of the schemas', () => {
  const documented = new Map(
    tableNamed('types').map(([name = '', what = '']) => [name.replaceAll('`', ''), what]),
  );
  for (const [name, schema] of Object.entries(SIMPLE)) {
    const what = documented.get(name) ?? '';
    expect(what, name).not.toBe('');
    if (schema.pattern !== undefined) expect(what).toContain(`\`${schema.pattern}\``);
    if (schema.enum === undefined) continue;
    const words = [...what.matchAll(/`(\w+)`/gu)].map(([, word]) => word);
    expect(words, name).toStrictEqual(schema.enum);
  }
});

test('the tags of typed arrays are those that are decoded', () => {
  const documented = tableNamed('typed arrays')
    .flatMap(([tags = '']) => tags.replaceAll('*', '').split(', '))
    .map(Number);
  const accepted = Array.from({ length: 256 }, (_, tag) => tag).filter((tag) => {
    try {
      decodeCbor(Uint8Array.of(0xd8, tag, 0x40), 10);
      return true;
    } catch {
      return false;
    }
  });
  expect(documented.sort((a, b) => a - b)).toStrictEqual(accepted);
});

test('the errors are those of the code', () => {
  const real = (Object.keys(ERRORS) as ErrorType[]).map((type) => {
    const { code, wireCode, retryable, when } = ERRORS[type];
    return [`\`${type}\``, `0x${wireCode.toString(16)}`, code, retryable ? 'yes' : 'no', when];
  });
  expect(tableNamed('errors')).toStrictEqual(real);
  expect(text).toContain(`has code 0x${NO_ERROR_WIRE_CODE.toString(16)}.`);
  // Every error that the prose names exists.
  for (const [, name = ''] of text.matchAll(/`([A-Z]+_[A-Z_]+)`/gu)) {
    const known = [...Object.keys(ERRORS), ...Object.keys(limits)];
    const words = Object.values(SIMPLE).flatMap((schema) => schema.enum ?? []);
    expect([...known, ...words], name).toContain(name);
  }
});

test('the examples of versions are right, and versions and names are those of the code', () => {
  for (const [joining = '', coordinator = '', result = ''] of tableNamed('versions')) {
    const [protocolMin = 0, protocolMax = 0] = joining.split(' to ').map(Number);
    expect(coordinator).toBe(`${PROTOCOL_MIN} to ${PROTOCOL_MAX}`);
    if (result === '`VERSION_MISMATCH`') {
      expect(() => negotiateVersion({ protocolMin, protocolMax })).toThrow('versions');
    } else {
      expect(negotiateVersion({ protocolMin, protocolMax })).toBe(Number(result));
    }
  }
  expect(text).toContain(`It is version ${PROTOCOL_MAX}.`);
  expect(text).toContain(`\`${ALPN}\``);
  expect(text).toContain(`\`${TABLE_MEDIA_TYPE}\``);
  for (const feature of FEATURES)
    expect(sectionOf('## Versions and features')).toContain(`\`${feature}\``);
  const purposes = tableNamed('purposes').map(([purpose = '']) => purpose.replaceAll('`', ''));
  expect(purposes.sort()).toStrictEqual([...STREAM_PURPOSES].sort());
});

test('the annotated bytes are the test vectors', () => {
  const frame = vectors.messages.find(({ name }) => name === 'half of it is done');
  expect(bytesBelow('vector: half of it is done')).toBe(frame?.hex);
  const table = vectors.tables.find(({ name }) => name === 'two columns of two rows');
  expect(bytesBelow('table vector: two columns of two rows')).toBe(table?.hex);
});
