/**
 * Documents: the CBOR items that payloads hold. Inputs and results of the built-in task types have schemas; those of
 * a user's own task types may be any value that CBOR and this protocol can carry.
 */
import type { TSchema } from 'typebox';
import { UNREAD, decodeShortDocument, encodeShortDocument } from './fast/document.ts';
import { checkSchema } from './validation.ts';
import { decodeGeneralDocument, encodeGeneralDocument } from './general-document.ts';
import * as inputs from './documents/inputs.ts';
import * as results from './documents/results.ts';
import { Verdict } from './messages/learning.ts';
import type { BuiltInTaskType } from './ids.ts';

/** Input and result of each built-in task type. */
export const TASK_DOCUMENTS = {
  PatternMatch: {
    input: inputs.PatternMatchInput,
    resultType: 'PatternMatchResult',
    result: results.PatternMatchResult,
  },
  VolatilityForecast: {
    input: inputs.VolatilityForecastInput,
    resultType: 'VolatilityForecast',
    result: results.VolatilityForecast,
  },
  StrategyCorrelation: {
    input: inputs.StrategyCorrelationInput,
    resultType: 'StrategyCorrelation',
    result: results.StrategyCorrelation,
  },
  FeatureEngineering: {
    input: inputs.FeatureEngineeringInput,
    resultType: 'FeatureSet',
    result: results.FeatureSet,
  },
  NeuralTraining: {
    input: inputs.NeuralTrainingInput,
    resultType: 'NeuralGradients',
    result: results.NeuralGradients,
  },
  ReasoningJudge: { input: inputs.ReasoningJudgeInput, resultType: 'Verdict', result: Verdict },
} as const satisfies Record<
  BuiltInTaskType,
  { input: TSchema; resultType: string; result: TSchema }
>;

/** The types behind {@link TASK_DOCUMENTS}, spelled out: looked up by name they cost the compiler nothing, computed from
 *  the schemas at each use they cost it seconds. */
interface DocumentTypes {
  PatternMatch: { input: inputs.PatternMatchInput; result: results.PatternMatchResult };
  VolatilityForecast: {
    input: inputs.VolatilityForecastInput;
    result: results.VolatilityForecast;
  };
  StrategyCorrelation: {
    input: inputs.StrategyCorrelationInput;
    result: results.StrategyCorrelation;
  };
  FeatureEngineering: { input: inputs.FeatureEngineeringInput; result: results.FeatureSet };
  NeuralTraining: { input: inputs.NeuralTrainingInput; result: results.NeuralGradients };
  ReasoningJudge: { input: inputs.ReasoningJudgeInput; result: Verdict };
}

/** What a built-in task type takes. */
export type InputOf<T extends BuiltInTaskType> = DocumentTypes[T]['input'];

/** What a built-in task type answers. */
export type ResultOf<T extends BuiltInTaskType> = DocumentTypes[T]['result'];

/**
 * Encodes any value that the protocol can carry: null, undefined, booleans, numbers, strings, arrays, plain objects,
 * byte strings and typed arrays. Throws BAD_INPUT for others and says where they are (Date, Map, Set, BigInt, RegExp,
 * functions, promises, instances of classes): they would arrive as something else, or as `{}`. The bytes have a
 * buffer of their own.
 */
export function encodeDocument(value: unknown): Uint8Array {
  return encodeShortDocument(value) ?? encodeGeneralDocument(value);
}

/** Decodes a document of any shape; throws BAD_INPUT. `bytes` must not be reused by the caller. */
export function decodeDocument(bytes: Uint8Array): unknown {
  return decodeAs('BAD_INPUT', bytes);
}

/** Decodes and checks the input of a built-in task type; throws BAD_INPUT that names the first wrong field. */
export function decodeInput<T extends BuiltInTaskType>(taskType: T, bytes: Uint8Array): InputOf<T> {
  const value = decodeDocument(bytes);
  checkSchema(TASK_DOCUMENTS[taskType].input, value, `The input of ${taskType}`, 'BAD_INPUT');
  return value as InputOf<T>;
}

/** Decodes and checks the result of a built-in task type; throws BAD_MESSAGE. */
export function decodeResult<T extends BuiltInTaskType>(
  taskType: T,
  bytes: Uint8Array,
): ResultOf<T> {
  const value = decodeAs('BAD_MESSAGE', bytes);
  checkSchema(TASK_DOCUMENTS[taskType].result, value, `The result of ${taskType}`);
  return value as ResultOf<T>;
}

function decodeAs(errorType: 'BAD_INPUT' | 'BAD_MESSAGE', bytes: Uint8Array): unknown {
  const short = decodeShortDocument(bytes);
  return short === UNREAD ? decodeGeneralDocument(errorType, bytes) : short;
}
