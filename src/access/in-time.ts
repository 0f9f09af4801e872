import { Unavailable } from '../errors.js';

/** A look-up of who asks that takes longer is given up: the call itself has yet to begin, and 20 s are its limit. */
export const LOOK_UP_MS = 10_000;

/** @throws Unavailable when it is not done in time, whatever it waits for: a connection, or PostgreSQL's answer. */
export async function inTime<T>(lookUp: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const seconds = LOOK_UP_MS / 1000;
      reject(
        new Unavailable(
          'postgresql',
          `PostgreSQL did not say within ${seconds} s who asks. Nothing was done; try again in a few seconds.`,
        ),
      );
    }, LOOK_UP_MS);
  });
  try {
    return await Promise.race([lookUp, late]);
  } finally {
    clearTimeout(timer);
  }
}
