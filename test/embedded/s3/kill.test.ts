import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { compileEndpoint } from './compiled-endpoint.js';
import {
  ACCESS_KEY_ID,
  cleanUp,
  connect,
  makeDirectory,
  onCleanUp,
  SECRET_ACCESS_KEY,
} from './endpoint-fixture.js';

const Bucket = 'uploads';
const KILLS = 6;

afterEach(cleanUp);

interface Served {
  readonly child: ChildProcess;
  readonly url: string;
}

/** Starts the program; the keys of the events that it delivers are added to `delivered`. */
async function serve(program: string, directory: string, delivered: Set<string>): Promise<Served> {
  const child = spawn(process.execPath, [program, directory, ACCESS_KEY_ID, SECRET_ACCESS_KEY], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onCleanUp(async () => void child.kill('SIGKILL'));
  const port = await new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [what, value = ''] = line.split(' ');
      if (what === 'port') resolve(value);
      else delivered.add(value);
    });
  });
  return { child, url: `http://127.0.0.1:${port}` };
}

/** Small and large bodies whose content follows from the key. */
const contentOf = (key: string): Buffer => Buffer.alloc(key.endsWith('0') ? 3_000_000 : 1000, `${key}.`);

/** Uploads until the endpoint dies, and adds what was acknowledged to `acknowledged`. */
async function uploadUntilDead(
  url: string,
  round: number,
  acknowledged: Set<string>,
  kill: () => void,
): Promise<void> {
  const client = connect(url);
  let count = 0;
  const enough = 5 + round * 7;
  const work = async (worker: number): Promise<void> => {
    for (let i = 0; ; i += 1) {
      const Key = `r${round}-w${worker}-${i}`;
      try {
        await client.send(new PutObjectCommand({ Bucket, Key, Body: contentOf(Key) }));
      } catch {
        return; // Killed in the middle: this one was never promised.
      }
      acknowledged.add(Key);
      count += 1;
      if (count === enough) kill();
    }
  };
  await Promise.all([work(1), work(2), work(3), work(4)]);
  client.destroy();
}

describe('kill -9', () => {
  it('loses nothing that was acknowledged, no event of it, and leaves no half object', async () => {
    const program = await compileEndpoint(await makeDirectory());
    const directory = await makeDirectory();
    const acknowledged = new Set<string>();
    const delivered = new Set<string>();
    for (let round = 0; round < KILLS; round += 1) {
      const { child, url } = await serve(program, directory, delivered);
      const ended = once(child, 'exit');
      await uploadUntilDead(url, round, acknowledged, () => void child.kill('SIGKILL'));
      await ended;
    }
    const { url } = await serve(program, directory, delivered);
    const client = connect(url);
    onCleanUp(async () => client.destroy());
    const listed = await client.send(new ListObjectsV2Command({ Bucket }));
    const keys = listed.Contents?.map(({ Key = '' }) => Key) ?? [];
    expect([...acknowledged].filter((key) => !keys.includes(key))).toEqual([]);
    for (const Key of keys) {
      const got = await client.send(new GetObjectCommand({ Bucket, Key }));
      const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
      expect(bytes.equals(contentOf(Key)), `${Key} is whole`).toBe(true);
    }
    await expect.poll(() => keys.filter((key) => !delivered.has(key)), { timeout: 10_000 }).toEqual([]);
    expect(await readdir(join(directory, 'blobs'))).toHaveLength(keys.length);
    expect(await readdir(join(directory, 'incoming'))).toEqual([]);
  }, 60_000);
});
