import type { TaskOutcome } from '../../engine/ports.js';

const LOOK_AGAIN_SECONDS = 30;

/** What a worker says that would do something to an object, while a restored database is held: it is asked again. */
export const HELD: TaskOutcome = {
  kind: 'inProgress',
  callbackAfterSeconds: LOOK_AGAIN_SECONDS,
  output: { held: 'The database was restored from a backup; sallyport restore release lets this go on.' },
};
