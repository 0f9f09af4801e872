import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { needsRandomAccess } from '../../../../src/s3/needs-random-access.js';
import { Spool } from '../../../../src/s3/spool.js';
import { ArchiveWalk, type Member } from '../../../../src/tasks/scan/archive/walk.js';
import { zip } from '../../../support/archives.js';
import { CONTAINERS } from './containers.js';

const directory = mkdtempSync(join(tmpdir(), 'sallyport-paths-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function membersOf(object: Buffer, name: string): Promise<readonly Member[]> {
  const members: Member[] = [];
  const spool = new Spool(directory, 64 * 1024 * 1024);
  const sink = { write: async () => undefined, end: async () => undefined, abort: () => undefined };
  const visitor = {
    open: (member: Member) => {
      members.push(member);
      return sink;
    },
  };
  const walk = new ArchiveWalk(visitor, { name, spool, now: () => performance.now() });
  const whole = needsRandomAccess(object) ? await spool.create() : undefined;
  await whole?.write(object);
  await walk.write(object);
  await walk.end(whole);
  await whole?.close();
  return members;
}

/** Without its last level. */
const before = (path: string): string => path.slice(0, path.lastIndexOf('!'));

describe('the path of a member', () => {
  it('is that of what it is in, and its name: at every level, whatever is in what', async () => {
    const kind = fc.constantFrom(...Object.keys(CONTAINERS));
    const run = async (kinds: readonly string[]): Promise<void> => {
      let object: Buffer = Buffer.from('what is looked for');
      for (const one of kinds) object = (await CONTAINERS[one]?.(object)) ?? object;
      const members = await membersOf(object, 'a');
      expect(members.length).toBeGreaterThanOrEqual(kinds.length);
      const paths = new Set(['a']);
      for (const { path, depth } of members) {
        // What it is in was seen before, under that very path.
        expect(paths).toContain(before(path));
        expect(path.split('!')).toHaveLength(depth + 1);
        expect(paths).not.toContain(path);
        paths.add(path);
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(kind, { minLength: 1, maxLength: 4 }), run), { numRuns: 150 });
  });

  it('has the whole name of what is packed, also one with a mark of its own', async () => {
    const object = zip([{ name: 'so!much.gz', content: gzipSync('text') }]);
    expect((await membersOf(object, 'a')).map(({ path }) => path)).toEqual([
      'a!so!much.gz',
      'a!so!much.gz!so!much',
    ]);
  });

  it('is so for a zip in a zip in a gzip', async () => {
    const inner = zip([{ name: 'in/e.com', content: 'text', stored: true }]);
    const object = gzipSync(zip([{ name: 'inner.zip', content: inner, stored: true }]));
    expect((await membersOf(object, 'nested.zip.gz')).map(({ path }) => path)).toEqual([
      'nested.zip.gz!nested.zip',
      'nested.zip.gz!nested.zip!inner.zip',
      'nested.zip.gz!nested.zip!inner.zip!in/e.com',
    ]);
  });
});
