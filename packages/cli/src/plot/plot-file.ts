/** `--plot FILE`: where a picture goes, checked before the task is sent rather than after it was computed. */
import { constants } from 'node:fs';
import { access, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CommandContext } from '../command-line/context.ts';
import type { Values } from '../command-line/values.ts';
import { usageError } from '../output/command-error.ts';

/** Reads `--plot`. @throws BAD_OPTION */
export async function readPlotPath(values: Values): Promise<string | undefined> {
  const path = values.text('plot');
  if (path === undefined) return undefined;
  if (values.switchState('wait') === false) {
    throw usageError(
      '--plot and --no-wait exclude each other.',
      'A picture is drawn from the result, so somebody has to wait for it.',
    );
  }
  if (!path.toLowerCase().endsWith('.svg')) {
    throw usageError(
      `--plot ${path} does not end in .svg.`,
      'Pictures are SVG, for example --plot out.svg.',
    );
  }
  await refuseUnwritable(path);
  return path;
}

/** Writes the picture and says where it is. @throws BAD_OPTION */
export async function writePlot(context: CommandContext, path: string, svg: string): Promise<void> {
  try {
    await writeFile(path, svg);
  } catch (error) {
    throw unwritable(path, error);
  }
  context.terminal.note(`Picture: ${path}`);
}

async function refuseUnwritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
    const existing = await stat(path).catch(() => undefined);
    if (existing === undefined) return;
    if (existing.isDirectory()) throw new Error('it is a folder');
    await access(path, constants.W_OK);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return usageError(
    `--plot ${path} cannot be written: ${reason}.`,
    'Name a file in a folder that exists.',
  );
}
