/** Which words could stand next on an unfinished command line: what the completion scripts of shells ask for. */
import { COMMON_OPTIONS, type CommandSpecification } from './specification.ts';

/** The hidden first word with which the scripts ask; the words typed so far follow, the program's name first. */
export const COMPLETE_WORD = '--complete';

/**
 * The candidates for the last of `words` (which may be empty). `words` begins with the name of the program.
 * An empty answer means: complete file names.
 */
export function completionsFor(
  program: CommandSpecification,
  words: readonly string[],
): readonly string[] {
  const current = words.at(-1) ?? '';
  let specification = program;
  let positionals = 0;
  let before = '';
  for (const word of words.slice(1, -1)) {
    const inner = positionals === 0 ? commandNamed(word, specification) : undefined;
    if (inner !== undefined) {
      specification = inner;
      positionals = 0;
    } else if (!word.startsWith('-') && !takesValue(specification, before)) positionals += 1;
    before = word;
  }
  return candidates(specification, { current, before, positionals }).filter((word) =>
    word.startsWith(current),
  );
}

function candidates(
  specification: CommandSpecification,
  place: { readonly current: string; readonly before: string; readonly positionals: number },
): readonly string[] {
  const { commands = [], options = {}, positionals = [], load } = specification;
  const names = commands.map(({ name }) => name);
  if (load === undefined) return names;
  if (takesValue(specification, place.before)) return options[place.before.slice(2)]?.words ?? [];
  if (place.current.startsWith('-')) {
    return Object.keys({ ...options, ...COMMON_OPTIONS }).map((name) => `--${name}`);
  }
  const words = positionals[place.positionals]?.words ?? [];
  return place.positionals === 0 ? [...names, ...words] : words;
}

function commandNamed(
  word: string,
  { commands }: CommandSpecification,
): CommandSpecification | undefined {
  return commands?.find(({ name }) => name === word);
}

/** True for `--top`, whose value comes next. */
function takesValue({ options = {} }: CommandSpecification, word: string): boolean {
  const option = word.startsWith('--') ? options[word.slice(2)] : undefined;
  return option !== undefined && option.isSwitch !== true;
}
