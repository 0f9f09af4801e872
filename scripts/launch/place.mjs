import { accessSync, constants, statfsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Refusal } from './say.mjs';

/** The folder of the checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '');

/** Refuses with a sentence when the checkout cannot be written, which installing and building must. */
export function refuseReadOnly(what) {
  try {
    accessSync(root, constants.W_OK);
  } catch {
    throw new Refusal(
      `${what} has to write to ${root}, and this user may not. ` +
        `Run the command as the user that owns the folder, or copy it to a place of your own.`,
    );
  }
}

/** Refuses with a sentence when the disk cannot hold what is to come. */
export function refuseFullDisk(neededMegabytes, what, directory = root) {
  const disk = statfsSync(directory);
  const free = Math.floor((disk.bavail * disk.bsize) / 1024 ** 2);
  if (free >= neededMegabytes) return;
  throw new Refusal(
    `${what} needs about ${neededMegabytes} MB, and the disk that holds ${directory} has ${free} MB left. ` +
      'Free some space and run the same command again.',
  );
}
