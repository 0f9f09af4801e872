import { expect } from 'vitest';
import { needsRandomAccess } from '../../../../src/s3/needs-random-access.js';
import { Spool } from '../../../../src/s3/spool.js';
import type { ArchiveLimits } from '../../../../src/tasks/scan/archive/budget.js';
import { ArchiveWalk, type WalkOptions } from '../../../../src/tasks/scan/archive/walk.js';

export interface Walked {
  readonly members: Readonly<Record<string, string>>;
  readonly reasons: readonly string[];
  readonly notes: ArchiveWalk['notCovered'];
  readonly bytes: number;
  /** In how many writes the members' bytes came. */
  readonly pieces: number;
  readonly walk: ArchiveWalk;
}

export interface WalkedOptions extends Pick<Partial<WalkOptions>, 'passwords'> {
  readonly limits?: Partial<ArchiveLimits>;
  readonly chunk?: number;
  readonly quota?: number;
  readonly now?: () => number;
}

/** Walks an object in chunks, as it comes from S3; members' contents are kept up to a kilobyte. */
export async function walkedIn(
  directory: string,
  content: Buffer,
  options: WalkedOptions = {},
): Promise<Walked> {
  const spool = new Spool(directory, options.quota ?? 256 * 1024 * 1024);
  const members: Record<string, string> = {};
  let bytes = 0;
  let pieces = 0;
  const walk = new ArchiveWalk(
    {
      open: ({ path }) => {
        const parts: Buffer[] = [];
        return {
          write: async (chunk) => {
            bytes += chunk.length;
            pieces += 1;
            if (parts.length === 0) parts.push(Buffer.from(chunk.subarray(0, 1024)));
            else if (Buffer.concat(parts).length < 1024) parts.push(Buffer.from(chunk.subarray(0, 1024)));
          },
          end: async () => {
            members[path] = Buffer.concat(parts).subarray(0, 1024).toString('latin1');
          },
          abort: () => undefined,
        };
      },
    },
    {
      name: 'a',
      spool,
      limits: options.limits,
      now: options.now ?? (() => performance.now()),
      ...(options.passwords !== undefined && { passwords: options.passwords }),
    },
  );
  const whole = needsRandomAccess(content) ? await spool.create() : undefined;
  const step = options.chunk ?? 65_536;
  for (let at = 0; at < content.length; at += step) {
    await whole?.write(content.subarray(at, at + step));
    await walk.write(content.subarray(at, at + step));
  }
  await walk.end(whole);
  await whole?.close();
  expect(spool.usedBytes).toBe(0);
  expect(walk.budget.held).toBe(0);
  return {
    members,
    notes: walk.notCovered,
    reasons: walk.notCovered.map((note) => note.reason),
    bytes,
    pieces,
    walk,
  };
}
