/** Places between two durable steps at which a test stops the process. */
export type CrashPoint =
  | 'batch:before-write'
  | 'batch:before-commit'
  | 'batch:after-commit'
  | 'batch:before-delivery'
  | 'payload:registered'
  | 'payload:stored'
  | 'payload:removed'
  | 'claim:after-commit'
  | 'timer:claimed'
  | 'inbox:claimed'
  | 'inbox:held'
  | 'script:needed'
  | 'script:evaluated'
  | 'run:before-report';

/** Does nothing in production; tests inject one that stops the process at a named point. */
export class CrashPoints {
  reach(_point: CrashPoint): Promise<void> | void {}
}
