import { describe, expect, it } from 'vitest';
import { isDatabaseAway } from '../../src/database/is-away.js';

const coded = (code: string, message = 'x'): Error => Object.assign(new Error(message), { code });

describe('whether PostgreSQL is away', () => {
  it.each([
    coded('ECONNREFUSED'),
    coded('57P01', 'terminating connection due to administrator command'),
    coded('57P03', 'the database system is starting up'),
    coded('53300', 'too many clients already'),
    coded('08006'),
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
    new Error('the store could not commit', { cause: coded('ECONNRESET') }),
  ])('is said by %s', (error) => expect(isDatabaseAway(error)).toBe(true));

  it.each([
    coded('23505', 'duplicate key value'),
    coded('57014', 'canceling statement due to user request'),
    coded('42P01'),
    new Error('something else'),
    'a string',
    undefined,
  ])('is not said by %s', (error) => expect(isDatabaseAway(error)).toBe(false));
});
