import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { join } from 'node:path';

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;
const WRITABLE_BY_OTHERS = 0o022;

/** A file or folder that somebody else may have put there. */
export class NotOwned extends Error {
  constructor(
    readonly path: string,
    why: string,
  ) {
    super(why);
  }
}

/**
 * The text of a file that nobody but this user can have put into the folder: no link, and neither the file nor the folder
 * is another user's or writable by one. For root both may belong to one other user, who runs the service.
 *
 * @param isMine for root, too, only what is root's own.
 * @returns `undefined` where there is no such file. @throws NotOwned, or what the system says.
 */
export function readOwned(folder: string, name: string, isMine = false): string | undefined {
  const me = process.geteuid?.();
  // The folder may be reached over a link of this user's: what counts is whose it is in the end.
  const owner = opened(folder, O_DIRECTORY, (handle) => {
    const facts = fstatSync(handle);
    if (me === undefined) return undefined;
    const isFine = me === 0 ? !isMine || facts.uid === 0 : facts.uid === me || facts.uid === 0;
    if (!isFine) throw new NotOwned(folder, `it belongs to another user (uid ${facts.uid})`);
    checkMode(folder, facts);
    return me === 0 ? facts.uid : me;
  });
  if (owner === 'none') return undefined;
  const path = join(folder, name);
  const text = opened(path, O_NOFOLLOW | O_NONBLOCK, (handle) => {
    const facts = fstatSync(handle);
    if (!facts.isFile()) throw new NotOwned(path, 'it is no plain file');
    if (owner !== undefined) {
      if (facts.uid !== owner) throw new NotOwned(path, `it belongs to another user (uid ${facts.uid})`);
      checkMode(path, facts);
    }
    return { text: readFileSync(handle, 'utf8') };
  });
  return text === 'none' ? undefined : text.text;
}

function checkMode(path: string, { mode }: Stats): void {
  if ((mode & WRITABLE_BY_OTHERS) !== 0) throw new NotOwned(path, `others may write it (chmod go-w ${path})`);
}

function opened<T>(path: string, flags: number, look: (handle: number) => T): T | 'none' {
  let handle: number;
  try {
    handle = openSync(path, O_RDONLY | flags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'none';
    if (code === 'ELOOP') throw new NotOwned(path, 'it is a symbolic link');
    throw error;
  }
  try {
    return look(handle);
  } finally {
    closeSync(handle);
  }
}
