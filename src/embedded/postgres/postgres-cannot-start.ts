import { AppError } from '../../errors.js';

/** Why an embedded PostgreSQL did not come up, for a caller that wants to act on the kind and not on the words. */
export type CannotStartReason =
  | 'not-packaged'
  | 'wrong-architecture'
  | 'account'
  | 'unreachable'
  | 'disk-full'
  | 'port-taken'
  | 'already-running'
  | 'leftover'
  | 'version-mismatch'
  | 'damaged'
  | 'timeout'
  | 'unknown';

/** The embedded PostgreSQL cannot be started. The message is a sentence that says what to do about it. */
export class PostgresCannotStart extends AppError {
  readonly code = 'POSTGRES_CANNOT_START';
  readonly status = 500;
  constructor(
    readonly reason: CannotStartReason,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
