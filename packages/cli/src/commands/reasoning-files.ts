/** `swarm reasoning export|import FILE`: what was learnt, from one coordinator to another. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Command } from '../command-line/specification.ts';
import { inputError, usageError } from '../output/command-error.ts';
import { EXIT } from '../output/exit-codes.ts';
import { reportedErrorOf } from '../output/failure-report.ts';
import { toJson } from '../output/json.ts';
import { formatBytes } from '../output/table.ts';
import { readSessionOptions, withSwarm } from '../session/client-session.ts';

const EXPORT_HINT = 'Name a file that swarm reasoning export has written.';

/** `swarm reasoning export`. */
export const reasoningExportCommand: Command = {
  async run(values, context) {
    const file = values.requiredText('FILE', 'swarm reasoning export learnt.bank');
    const options = await readSessionOptions(values, context);
    const { terminal, json, interruption } = context;
    const bytes = await withSwarm(context, options, (swarm) =>
      interruption.orInterrupted(swarm.exportReasoning()),
    );
    try {
      await writeFile(file, bytes);
    } catch (error) {
      throw unusable(file, 'written', error, 'Name a file in a folder that exists.');
    }
    if (json) terminal.printJson(toJson({ file, bytes: bytes.length }));
    else terminal.print(`${file}: ${formatBytes(bytes.length)}`);
    return EXIT.ok;
  },
};

/** `swarm reasoning import`. */
export const reasoningImportCommand: Command = {
  async run(values, context) {
    const file = values.requiredText('FILE', 'swarm reasoning import learnt.bank');
    const options = await readSessionOptions(values, context);
    const { terminal, json, interruption } = context;
    const bytes = await contentOf(file);
    try {
      await withSwarm(context, options, (swarm) =>
        interruption.orInterrupted(swarm.importReasoning(bytes)),
      );
    } catch (error) {
      const { type, message } = reportedErrorOf(error);
      if (type !== 'BAD_INPUT') throw error;
      throw inputError(`${file} cannot be taken in: ${message}`, EXPORT_HINT);
    }
    if (json) terminal.printJson(toJson({ file, bytes: bytes.length }));
    else terminal.print(`${file}: taken in. See:  swarm reasoning ls`);
    return EXIT.ok;
  },
};

async function contentOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw unusable(file, 'read', error, EXPORT_HINT);
  }
}

function unusable(file: string, what: 'read' | 'written', error: unknown, hint: string): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return usageError(`${file} cannot be ${what}: ${reason}.`, hint);
}
