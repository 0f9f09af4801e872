import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError, Conflict, InvalidInput, Overloaded, Unavailable, type FieldProblem } from '../errors.js';
import { sentenceOf, troubleOf } from '../database/trouble.js';
import { LOG, loggablePath, plainPath, type Log } from './log.js';

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly errors: readonly FieldProblem[];
  readonly details: Readonly<Record<string, unknown>>;
}

// A killed PostgreSQL is back within seconds.
const AWAY_RETRY_SECONDS = 5;

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request cannot be used',
  401: 'Not logged in',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'The state does not allow this',
  413: 'Too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  500: 'A fault of the service',
  503: 'Not available now',
};

/** Conductor's paths, whose clients read Conductor's error body. */
const CONDUCTOR_PATH = /^\/api\/(?!v1\/)/;

/**
 * Turns every error into one answer: problem+json (RFC 9457) on our own paths, Conductor's ErrorResponse on its own.
 *
 * What is not an AppError is a fault of ours: logged in full, told to nobody.
 */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(@Inject(LOG) private readonly log: Log) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Also Fastify's own error handler, for what fails before Nest sees the request. */
  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = asDatabaseTrouble(thrown) ?? thrown;
    const problem = describe(error);
    if (problem.status >= 500 && !(error instanceof AppError)) {
      this.log.error(
        { err: error, method: request.method, path: loggablePath(request.url) },
        'request failed',
      );
    }
    if (reply.sent) return;
    if (error instanceof Overloaded) void reply.header('retry-after', String(error.retryAfterSeconds));
    else if (error instanceof AppError && error.status === 503)
      void reply.header('retry-after', String(AWAY_RETRY_SECONDS));
    const conductor = CONDUCTOR_PATH.test(plainPath(request.url));
    void reply
      .status(problem.status)
      .header('cache-control', 'no-store')
      .type(conductor ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8')
      .send(JSON.stringify(conductor ? conductorBody(problem) : problemBody(problem)));
  }
}

/** PostgreSQL in trouble is no fault of ours, and the same request may succeed in a moment. */
function asDatabaseTrouble(error: unknown): Unavailable | undefined {
  // A stage's own words say more, but for the store's, which are PostgreSQL's and for the log.
  if (error instanceof AppError && !error.retryable) return undefined;
  if (error instanceof Unavailable || error instanceof Overloaded) return undefined;
  const trouble = troubleOf(error);
  if (trouble === undefined) return undefined;
  return new Unavailable(
    'postgresql',
    `${sentenceOf(trouble)} Nothing is lost; try again in a few seconds.`,
    { cause: error },
  );
}

function describe(error: unknown): Problem {
  const none = { errors: [], details: {}, retryable: false };
  if (error instanceof AppError) {
    return {
      status: error.status,
      code: error.code,
      message: error.message,
      retryable: error.retryable,
      errors: error instanceof InvalidInput ? error.problems : [],
      details: error instanceof Conflict ? error.details : {},
    };
  }
  if (error instanceof HttpException) {
    return { ...none, status: error.getStatus(), code: codeOf(error.getStatus()), message: error.message };
  }
  // Fastify's own refusals (malformed JSON, body too large, bad media type) carry a statusCode.
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown };
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return { ...none, status: statusCode, code: codeOf(statusCode), message: String(message) };
  }
  return {
    ...none,
    status: 500,
    code: 'INTERNAL',
    message: 'Something went wrong on our side; the log has the details.',
  };
}

const codeOf = (status: number): string =>
  ({
    400: 'INVALID_INPUT',
    401: 'UNAUTHORIZED',
    403: 'FORBIDDEN',
    404: 'NOT_FOUND',
    405: 'METHOD_NOT_ALLOWED',
    413: 'TOO_LARGE',
    415: 'UNSUPPORTED_MEDIA_TYPE',
  })[status] ?? 'HTTP_ERROR';

const conductorBody = (problem: Problem) => ({
  status: problem.status,
  code: problem.code,
  message: problem.message,
  retryable: problem.retryable,
  // The SDKs look for this field on 401 and 403 to refresh their token.
  ...(problem.status === 401 || problem.status === 403 ? { error: problem.code } : {}),
  ...(problem.errors.length > 0 ? { validationErrors: problem.errors } : {}),
});

/** The body that an error is answered with on our own paths, for answers that tell several at once. */
export const problemOf = (error: AppError): Readonly<Record<string, unknown>> => problemBody(describe(error));

const problemBody = (problem: Problem) => ({
  type: 'about:blank',
  title: TITLES[problem.status] ?? 'Error',
  status: problem.status,
  detail: problem.message,
  code: problem.code,
  ...(problem.errors.length > 0 ? { errors: problem.errors } : {}),
  ...problem.details,
});
