import { test } from 'vitest';

/** What a server is known to do otherwise than S3, by the name of the behaviour; the value says what it does, and why. */
export type Differences<Behaviour extends string> = Readonly<Partial<Record<Behaviour, string>>>;

/** Declares one behaviour under its name. */
export type Declare<Behaviour extends string> = (
  name: Behaviour,
  body: () => Promise<void>,
  timeoutMs?: number,
) => void;

/**
 * A behaviour that every server must show. One that is declared as a difference must fail, so that a declaration is
 * taken back when the server has learnt it: nothing is skipped in silence.
 */
export const declareWith =
  <Behaviour extends string>(differences: Differences<Behaviour>): Declare<Behaviour> =>
  (name, body, timeoutMs) => {
    const difference = differences[name];
    const options = timeoutMs === undefined ? {} : { timeout: timeoutMs };
    if (difference === undefined) test(name, options, body);
    else test.fails(`does not: ${name} (${difference})`, options, body);
  };
