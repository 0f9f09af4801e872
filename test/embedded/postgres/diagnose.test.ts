import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/embedded/postgres/diagnose.js';

const place = { dataDirectory: '/home/me/.sallyport/postgres/cluster/data', port: 5433 };

const cases: [output: string, reason: string, sentence: RegExp][] = [
  [
    'initdb: error: could not write to file "pg_wal/xlogtemp.9": No space left on device',
    'disk-full',
    /is full\. Free some space/,
  ],
  [
    'LOG: could not bind IPv4 address "127.0.0.1": Address already in use',
    'port-taken',
    /Port 5433 .* is taken/,
  ],
  [
    'FATAL:  lock file "postmaster.pid" already exists\nHINT:  Is another postmaster (PID 7) running?',
    'already-running',
    /Another PostgreSQL already runs/,
  ],
  [
    'FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use',
    'leftover',
    /They end by themselves: start again in a moment/,
  ],
  [
    'FATAL:  database files are incompatible with server\nDETAIL:  The data directory was initialized by PostgreSQL version 17, which is not compatible with this version 18.4.',
    'version-mismatch',
    /initialized by PostgreSQL version 17/,
  ],
  [
    'initdb: error: could not look up effective user ID 1234: user does not exist',
    'account',
    /as this user: could not look up effective user ID 1234/,
  ],
  ['FATAL:  could not map anonymous shared memory: Cannot allocate memory', 'unknown', /--shm-size=128m/],
  [
    'LOG:  invalid checkpoint record\nPANIC:  could not locate a valid checkpoint record at 0/1',
    'damaged',
    /backup/,
  ],
  ['', 'unknown', /it gave no reason/],
];

describe('what PostgreSQL prints when it does not start becomes a sentence', () => {
  test.each(cases)('%j', (output, reason, sentence) => {
    const error = diagnose(output, place);
    expect(error.reason).toBe(reason);
    expect(error.message).toMatch(sentence);
  });
});
