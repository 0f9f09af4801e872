import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockDirectory } from '../../../src/embedded/s3/directory-lock.js';
import { DirectoryInUse } from '../../../src/embedded/s3/store-errors.js';

const statOf = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /s, '')
    .split(' ');

describe.runIf(process.platform === 'linux')('the lock of a directory', () => {
  let directory: string;
  let parent: ChildProcess;
  let pid: number;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sallyport-lock-'));
    // A parent that never collects its child.
    parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(parent.stdout ?? parent, 'data')) as [Buffer];
    pid = Number(line.toString());
    writeFileSync(join(directory, 'lock'), `${pid} ${statOf(pid)[19]}`);
  });
  afterEach(() => {
    parent.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  test('is held by a process that runs, and not by one that was killed and nobody has collected', async () => {
    await expect(lockDirectory(directory)).rejects.toThrow(DirectoryInUse);
    process.kill(pid, 'SIGKILL');
    while (statOf(pid)[0] !== 'Z') await delay(5);
    const unlock = await lockDirectory(directory);
    expect(readFileSync(join(directory, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
    await unlock();
  });
});
