/**
 * The one family of errors that the service throws on purpose.
 *
 * The message says what happened and what to do about it. `code` is stable and appears in every API error body.
 * Expected outcomes (a found virus, a rejected approval) are data, not errors.
 */
export abstract class AppError extends Error {
  abstract readonly code: string;
  /** HTTP status that the exception filter answers with. */
  abstract readonly status: number;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean = false;

  override get name(): string {
    return this.constructor.name;
  }
}

/** One wrong place in what a client sent; `path` is dotted, as in `input.bucket`. */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** The caller sent something that cannot be used. Names every field that is wrong. */
export class InvalidInput extends AppError {
  readonly code = 'INVALID_INPUT';
  readonly status = 400;
  constructor(
    message: string,
    readonly problems: readonly FieldProblem[] = [],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** The usual case: one field, what is wrong with it and the remedy. */
  static field(path: string, message: string, options?: ErrorOptions): InvalidInput {
    return new InvalidInput(`${path}: ${message}`, [{ path, message }], options);
  }
}

/** Something named by an id does not exist (or not for this caller). */
export class NotFound extends AppError {
  readonly code = 'NOT_FOUND';
  readonly status = 404;
}

/** The thing exists but is not in a state that allows the call; `details` names the winner of a lost race. */
export class Conflict extends AppError {
  readonly code = 'CONFLICT';
  readonly status = 409;
  constructor(
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Nobody is logged in, or the credentials are wrong. */
export class Unauthorized extends AppError {
  readonly code: string;
  readonly status = 401;
  /** `code` may be EXPIRED_TOKEN or INVALID_TOKEN, on which Conductor's SDKs refresh and retry. */
  constructor(message: string, code = 'UNAUTHORIZED', options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Logged in, but not allowed. */
export class Forbidden extends AppError {
  readonly code = 'FORBIDDEN';
  readonly status = 403;
}

/** The body is larger than what this route takes. */
export class TooLarge extends AppError {
  readonly code = 'TOO_LARGE';
  readonly status = 413;
}

/** The service is full for now; `retryAfterSeconds` becomes Retry-After. */
export class Overloaded extends AppError {
  readonly code = 'OVERLOADED';
  override readonly retryable = true;
  constructor(
    message: string,
    readonly retryAfterSeconds: number,
    readonly status: 429 | 503 = 429,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Something that we depend on (PostgreSQL, S3, clamd, SMTP, Slack) does not answer as it should. */
export class Unavailable extends AppError {
  readonly code = 'UNAVAILABLE';
  readonly status = 503;
  override readonly retryable = true;
  constructor(
    readonly dependency: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The configuration cannot be used; stops the start with a sentence that names the variable. */
export class ConfigError extends AppError {
  readonly code = 'CONFIG';
  readonly status = 500;
}
