import { describe, expect, it, vi } from 'vitest';
import { DatabaseState, isTold } from '../../src/database/database-state.js';
import { isDatabaseAway } from '../../src/database/is-away.js';
import { troubleOf } from '../../src/database/trouble.js';

const coded = (code: string, message = 'x'): Error => Object.assign(new Error(message), { code });

describe('what keeps PostgreSQL from its work', () => {
  it.each([
    ['away', coded('ECONNREFUSED')],
    ['away', coded('EPIPE')],
    ['away', coded('57P01', 'terminating connection due to administrator command')],
    ['away', coded('57P03', 'the database system is starting up')],
    ['away', coded('08P01', 'server login has been failing, try again later')],
    ['away', new Error('Connection terminated unexpectedly')],
    ['away', new Error('timeout exceeded when trying to connect')],
    ['away', new AggregateError([coded('ECONNREFUSED')], '')],
    ['crowded', coded('53300', 'sorry, too many clients already')],
    ['crowded', coded('08P01', 'no more connections allowed (max_client_conn)')],
    ['full', coded('53100', 'could not extend file: No space left on device')],
    ['read-only', coded('25006', 'cannot execute INSERT in a read-only transaction')],
    ['refused', coded('28P01', 'password authentication failed')],
    ['refused', coded('3D000', 'database "x" does not exist')],
    ['refused', coded('SELF_SIGNED_CERT_IN_CHAIN')],
    ['refused', new Error('The server does not support SSL connections')],
    ['slow', new Error('Query read timeout')],
    ['slow', coded('57014', 'canceling statement due to statement timeout')],
    ['slow', coded('25P03', 'terminating connection due to idle-in-transaction timeout')],
  ])('is said to be %s by %s', (kind, error) => {
    expect(troubleOf(error)).toBe(kind);
    expect(isDatabaseAway(new Error('the store could not commit', { cause: error }))).toBe(true);
  });

  it.each([
    coded('23505', 'duplicate key value'),
    coded('22P02', 'invalid input syntax: "the certificate of ..."'),
    coded('P0001', 'no more connections allowed, says a trigger'),
    coded('57014', 'canceling statement due to user request'),
    coded('42P01'),
    new Error('something else'),
    'a string',
    undefined,
  ])('is not in %s', (error) => expect(troubleOf(error)).toBeUndefined());
});

describe("PostgreSQL's state", () => {
  const lines: string[] = [];
  const log = {
    warn: (facts: object) => lines.push(`warn ${(facts as { state: string }).state}`),
    info: (facts: object) => lines.push(`info ${(facts as { state: string }).state}`),
  };

  it('is one line in the log per change, and a number for the tries in between', () => {
    lines.length = 0;
    const state = new DatabaseState(log);
    for (let tries = 0; tries < 50; tries++) state.failed(coded('ECONNREFUSED'));
    expect(state.condition).toMatchObject({ kind: 'away', failures: 50 });
    state.succeeded('read');
    for (let tries = 0; tries < 3; tries++) state.failed(coded('25006'));
    expect(lines).toEqual(['warn away', 'info ok', 'warn read-only']);
    expect([...state.failureTotals]).toEqual([
      ['away', 50],
      ['read-only', 3],
    ]);
  });

  it('ends when something shows that it is over, not when reading works', () => {
    const state = new DatabaseState();
    state.failed(coded('25006'));
    state.succeeded('read');
    expect(state.condition.kind).toBe('read-only');
    state.succeeded('write');
    expect(state.condition.kind).toBe('ok');
    state.failed(coded('53100'));
    state.succeeded('write');
    expect(state.condition.kind).toBe('full');
    state.succeeded('growth');
    expect(state.condition.kind).toBe('ok');
  });

  it('of too many connections lasts as long as some are refused, whatever the open ones do', () => {
    vi.useFakeTimers();
    try {
      lines.length = 0;
      const state = new DatabaseState(log);
      for (let second = 0; second < 10; second++) {
        state.failed(coded('53300'));
        state.succeeded('growth');
        vi.advanceTimersByTime(1_000);
      }
      expect(lines).toEqual(['warn crowded']);
      vi.advanceTimersByTime(5_000);
      state.succeeded('read');
      expect(lines).toEqual(['warn crowded', 'info ok']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('counts an error once, and knows it again inside another', () => {
    const state = new DatabaseState();
    const error = coded('08006');
    state.failed(error);
    state.failed(error);
    expect(state.condition.failures).toBe(1);
    expect(isTold(new Error('a batch failed', { cause: error }))).toBe(true);
    // A bucket's refusal looks the same and is another matter.
    expect(isTold(coded('ECONNREFUSED'))).toBe(false);
  });

  it('has nothing to do with faults of our own', () => {
    const state = new DatabaseState();
    expect(state.failed(coded('42601', 'syntax error'))).toBeUndefined();
    expect(state.isTroubled).toBe(false);
  });
});
