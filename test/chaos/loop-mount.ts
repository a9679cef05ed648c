/** A small ext4 file system in a file, mounted; Linux and root only. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** `_IOR('X', 125, __u32)` of the kernel's ext4.h, and the flag for "without writing the journal". */
const CUT_POWER = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))
`;

/** Those that were not disposed of; a run that is interrupted leaves none behind. */
const mounted = new Set<string>();

process.on('exit', () => {
  // Lazily, since programs that were just killed may not be gone yet.
  for (const folder of mounted) execFileSync('umount', ['--lazy', folder], { stdio: 'ignore' });
});

/** Why no such file system can be made here; undefined where it can. */
export function missingForLoopMounts(): string | undefined {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'this is not root';
  for (const [program, argument] of [
    ['python3', '--version'],
    ['mkfs.ext4', '-V'],
    ['losetup', '--version'],
  ] as const) {
    try {
      execFileSync(program, [argument], { stdio: 'ignore' });
    } catch {
      return `there is no ${program}`;
    }
  }
  try {
    execFileSync('losetup', ['--find'], { stdio: 'ignore' });
  } catch {
    return 'there is no free loop device';
  }
  return undefined;
}

/** See the head of this file. Dispose of it: it is unmounted and removed. */
export class LoopMount implements Disposable {
  readonly #image: string;
  readonly folder: string;

  constructor(root: string, megabytes: number) {
    this.#image = join(root, 'image');
    this.folder = join(root, 'mount');
    mkdirSync(this.folder);
    writeFileSync(this.#image, '');
    truncateSync(this.#image, megabytes * 1024 * 1024);
    execFileSync('mkfs.ext4', ['-q', '-F', this.#image], { stdio: 'inherit' });
    this.mount();
  }

  mount(): void {
    execFileSync('mount', ['-o', 'loop', this.#image, this.folder], { stdio: 'inherit' });
    mounted.add(this.folder);
  }

  unmount(): void {
    execFileSync('umount', [this.folder], { stdio: 'inherit' });
    mounted.delete(this.folder);
  }

  /** From now on nothing reaches the disk any more, not even what the file system had accepted. */
  cutPower(): void {
    execFileSync('python3', ['-c', CUT_POWER, this.folder], { stdio: 'inherit' });
  }

  [Symbol.dispose](): void {
    if (mounted.has(this.folder)) this.unmount();
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.#image, { force: true });
  }
}
