import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { takeHomeLock } from '../../../src/embedded/postgres/home-lock.js';
import { identify } from '../../../src/embedded/postgres/process-identity.js';
import { place } from './places.js';

const me = identify(process.pid);

describe('the lock of a home', () => {
  test('is held by one at a time and free again after release', () => {
    const directory = place();
    const lock = takeHomeLock(directory);
    expect(() => takeHomeLock(directory)).toThrow(`already runs on ${directory} (process ${process.pid})`);
    lock.release();
    takeHomeLock(directory).release();
    expect(existsSync(join(directory, 'lock.json'))).toBe(false);
  });

  test('passes on when its process is gone, also when the number belongs to another process now', () => {
    const directory = place();
    writeFileSync(join(directory, 'lock.json'), JSON.stringify({ ...me, startedAt: 'long ago' }));
    takeHomeLock(directory);
    expect(JSON.parse(readFileSync(join(directory, 'lock.json'), 'utf8'))).toMatchObject({
      pid: process.pid,
    });
  });

  test('passes on when the machine was restarted since', () => {
    const directory = place();
    writeFileSync(join(directory, 'lock.json'), JSON.stringify({ ...me, boot: 'an earlier one' }));
    expect(() => takeHomeLock(directory)).not.toThrow();
  });

  test('passes on when a power cut left half of it', () => {
    const directory = place();
    writeFileSync(join(directory, 'lock.json'), '{"pid": 12');
    expect(() => takeHomeLock(directory)).not.toThrow();
  });

  test('of another machine is not judged from here, and the sentence says how to go on', () => {
    const directory = place();
    writeFileSync(join(directory, 'lock.json'), JSON.stringify({ ...me, host: 'elsewhere' }));
    expect(() => takeHomeLock(directory)).toThrow(
      /last used on the machine elsewhere .* delete .*lock\.json and start again/,
    );
  });

  test('that was taken over is not removed by its former holder', () => {
    const directory = place();
    const first = takeHomeLock(directory);
    writeFileSync(join(directory, 'lock.json'), JSON.stringify({ ...me, startedAt: 'long ago' }));
    takeHomeLock(directory);
    first.release();
    expect(existsSync(join(directory, 'lock.json'))).toBe(true);
  });
});
