/** How docs/protocol.md writes the types of fields, derived from the schemas. */
import { MESSAGES, TASK_DOCUMENTS } from '../../src/index.ts';
import { SeriesReference } from '../../src/documents/series.ts';
import {
  Alternative,
  LearnRequest,
  MemoryItem,
  Prediction,
  ReasoningAgentRow,
  ReasoningArmRow,
  ReasoningExplanation,
  ReasoningTypeRow,
  Tunable,
  Verdict,
} from '../../src/messages/learning.ts';
import { AgentRow, StatusSummary, TaskRow } from '../../src/messages/status.ts';
import {
  AgentIdText,
  Arm,
  Count,
  ContentIdText,
  DatasetIdText,
  DurationMs,
  FailureSchema,
  Fraction,
  Labels,
  Lease,
  Name,
  PayloadEncoding,
  PositiveCount,
  Shard,
  TaskIdText,
  TaskTypeText,
  Text,
} from '../../src/schema.ts';
import { refinementOf, type SchemaView } from './arbitrary-messages.ts';

/** One row of a table: `leases[].attempt`. */
export interface DescribedField {
  readonly path: string;
  readonly type: string;
  readonly isOptional: boolean;
}

const fieldOf = (schema: SchemaView | undefined, ...path: readonly string[]): SchemaView => {
  const found = path.reduce((at, name) => at?.properties?.[name], schema);
  if (found === undefined) throw new Error(`No field ${path.join('.')}.`);
  return found;
};
const view = (schema: unknown): SchemaView => schema as SchemaView;

const agentRow = view(AgentRow);
const taskRow = view(TaskRow);

/** Simple types by their name in the document. */
export const SIMPLE: Readonly<Record<string, SchemaView>> = {
  'agent id': view(AgentIdText),
  'task id': view(TaskIdText),
  'data set id': view(DatasetIdText),
  'content id': view(ContentIdText),
  'task type': view(TaskTypeText),
  text: view(Text),
  name: view(Name),
  count: view(Count),
  'positive count': view(PositiveCount),
  duration: view(DurationMs),
  fraction: view(Fraction),
  labels: view(Labels),
  arm: view(Arm),
  'agent type': fieldOf(agentRow, 'agentType'),
  'agent state': fieldOf(agentRow, 'state'),
  purpose: fieldOf(view(MESSAGES.StreamOpen.schema), 'purpose'),
  state: fieldOf(taskRow, 'state'),
  'pending reason': fieldOf(taskRow, 'pendingReason'),
  status: fieldOf(view(FailureSchema), 'code'),
};

/** Records that have a table of their own in the document. */
export const RECORDS: Readonly<Record<string, SchemaView>> = {
  lease: view(Lease),
  shard: view(Shard),
  failure: view(FailureSchema),
  encoding: view(PayloadEncoding),
  grants: fieldOf(view(MESSAGES.AgentAck.schema), 'grants'),
  retry: fieldOf(view(MESSAGES.SubmitTask.schema), 'retry'),
  prediction: view(Prediction),
  alternative: view(Alternative),
  tunable: view(Tunable),
  learn: view(LearnRequest),
  verdict: view(Verdict),
  experience: view(MESSAGES.ReasoningExperience.schema),
  'learnt type': view(ReasoningTypeRow),
  'learnt arm': view(ReasoningArmRow),
  'learnt agent': view(ReasoningAgentRow),
  memory: view(MemoryItem),
  explanation: view(ReasoningExplanation),
  summary: view(StatusSummary),
  agent: agentRow,
  task: taskRow,
  work: fieldOf(agentRow, 'work'),
  percentiles: fieldOf(agentRow, 'work', 'compute'),
};

/** Documents by the title of their table. */
export const DOCUMENTS: Readonly<Record<string, SchemaView>> = documentsByTitle();

function documentsByTitle(): Record<string, SchemaView> {
  const found: Record<string, SchemaView> = {};
  for (const [taskType, { input, result, resultType }] of Object.entries(TASK_DOCUMENTS)) {
    found[`${taskType} input`] = view(input);
    // A verdict is a message as well and has its table there.
    if (resultType !== 'Verdict') found[resultType] = view(result);
  }
  return found;
}

const text = (schema: SchemaView): string => JSON.stringify(schema);
const SERIES = text(view(SeriesReference));
const NAMED = new Map(
  [...Object.entries(SIMPLE), ...Object.entries(RECORDS)].map(([name, schema]) => [
    text(schema),
    name,
  ]),
);

/** All fields of an object, those of nested objects without a name included. */
export function fieldsOf(schema: SchemaView, prefix = ''): DescribedField[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const isOptional = schema.required?.includes(name) !== true;
    const row = { path, type: typeOf(field), isOptional };
    if (row.type === 'record') return [row, ...fieldsOf(field, `${path}.`)];
    if (row.type.startsWith('list of record')) {
      return [row, ...fieldsOf(field.items ?? {}, `${path}[].`)];
    }
    return [row];
  });
}

/** The type of one field. */
export function typeOf(schema: SchemaView): string {
  const refinement = refinementOf(schema);
  if (refinement !== undefined) {
    return refinement === 'a byte string' ? 'bytes' : refinement.replace(/^an? (\w+) .*/u, '$1');
  }
  const name = NAMED.get(text(schema));
  if (name !== undefined) return name;
  if (text(schema) === SERIES) return 'series';
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${word}\``).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ');
  switch (schema.type) {
    case 'array': {
      const bound = schema.maxItems === 4096 ? '' : ` (${schema.maxItems})`;
      return `list of ${typeOf(schema.items ?? {})}${bound}`;
    }
    case 'object': {
      const [value] = Object.values(schema.patternProperties ?? {});
      return value === undefined ? 'record' : `map of ${typeOf(value)}`;
    }
    case 'string':
      return `text, ${schema.minLength === undefined ? '' : `${schema.minLength} to `}${schema.maxLength}`;
    case 'integer':
    case 'number':
      return `${schema.type}${boundsOf(schema)}`;
    default:
      return String(schema.type);
  }
}

function boundsOf({ minimum, maximum }: SchemaView): string {
  if (minimum === undefined) return '';
  return maximum === undefined ? ` from ${minimum}` : ` ${minimum} to ${maximum}`;
}
