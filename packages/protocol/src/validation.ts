/** Checks values against schemas. Schemas are compiled when they are first needed, since most processes need few. */
import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { SwarmError, type ErrorType } from './errors.ts';

const validators = new WeakMap<object, Validator>();

/**
 * Throws an error of type `errorType` that names the first field that does not fit.
 * @param what the name of the checked thing, for the message
 */
export function checkSchema(
  schema: TSchema,
  value: unknown,
  what: string,
  errorType: ErrorType = 'BAD_MESSAGE',
): void {
  let validator = validators.get(schema);
  if (validator === undefined) {
    validator = Compile(schema);
    validators.set(schema, validator);
  }
  if (validator.Check(value)) return;
  throw new SwarmError(errorType, `${what} is not valid: ${describe(validator, value)}.`);
}

function describe(validator: Validator, value: unknown): string {
  const errors = validator.Errors(value);
  // Of an unknown key the checker reports the key's own schema first, `false`, which tells a reader nothing.
  const first = errors.find(({ keyword }) => keyword !== 'boolean') ?? errors[0];
  if (first === undefined) return 'it does not fit its schema';
  const where =
    first.instancePath === '' ? '' : `${first.instancePath.slice(1).replaceAll('/', '.')} `;
  const details =
    first.keyword === 'additionalProperties'
      ? `: ${first.params.additionalProperties.join(', ').slice(0, 200)}`
      : '';
  return `${where}${first.message}${details}`;
}
