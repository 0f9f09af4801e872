import type { LoggerService } from '@nestjs/common';
import { pino, type LogFn, type Logger, type LoggerOptions } from 'pino';
import { build as pretty } from 'pino-pretty';
import type { Config } from '../config.js';
import { isTold } from '../database/database-state.js';

/** Injection token of the process's logger (pino's `Logger`). */
export const LOG = Symbol('LOG');
export type Log = Logger;

const WARN = 40;

/** JSON lines in production, readable ones in a terminal. */
export function createLog(config: Pick<Config, 'LOG_LEVEL' | 'LOG_FORMAT'>): Log {
  const options = logOptions(config.LOG_LEVEL);
  const readable = config.LOG_FORMAT === 'pretty' || (config.LOG_FORMAT === 'auto' && process.stdout.isTTY);
  if (!readable) return pino(options);
  return pino(
    options,
    pretty({
      colorize: process.stdout.isTTY,
      translateTime: 'SYS:HH:MM:ss',
      ignore: 'pid,hostname',
      singleLine: true,
      sync: true,
    }),
  );
}

/** What every log of ours has in common: credentials in known places are blanked, and troubles are said once. */
export function logOptions(level: Config['LOG_LEVEL']): LoggerOptions {
  return {
    level,
    base: null,
    redact: {
      paths: [
        '*.password',
        '*.secret',
        '*.token',
        '*.authorization',
        '*.cookie',
        'headers.authorization',
        'headers["x-authorization"]',
        'headers.cookie',
      ],
      censor: '[redacted]',
    },
    hooks: { logMethod: dropTold },
  };
}

/**
 * Drops what fails again and again while PostgreSQL is in trouble: that it is was said once, when it began, and will be
 * said when it ends (`DatabaseState`). With LOG_LEVEL=debug every try is shown.
 */
function dropTold(this: Logger, args: Parameters<LogFn>, method: LogFn, level: number): void {
  const [facts] = args as readonly unknown[];
  const error = typeof facts === 'object' && facts !== null && 'err' in facts ? facts.err : undefined;
  if (error !== undefined && level >= WARN && isTold(error) && !this.isLevelEnabled('debug')) return;
  method.apply(this, args);
}

/** What Nest itself says goes through the same logger, one level lower: its start-up chatter is for debugging. */
export function nestLogger(log: Log): LoggerService {
  const line =
    (level: 'debug' | 'warn' | 'error') =>
    (message: unknown, ...rest: unknown[]) => {
      const context = rest.at(-1);
      log[level]({ context: typeof context === 'string' ? context : undefined }, String(message));
    };
  return {
    log: line('debug'),
    debug: line('debug'),
    verbose: line('debug'),
    warn: line('warn'),
    error: line('error'),
    fatal: line('error'),
  };
}

/** A request's path: without query, and without scheme and host where the request line had them; decoded. */
export const plainPath = (url: string): string =>
  (url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] ?? '')
    // The router decodes before it compares, so must who looks for a route in an address. Never throws, unlike decodeURI.
    .replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** A request's path as it may be logged: without query, and without the tokens that some paths carry. */
export const loggablePath = (url: string): string =>
  plainPath(url)
    .replace(
      /^\/+(events\/s3|api\/external\/postgres|r|q|api\/v1\/downloads|slack\/link|api\/v1\/slack\/link)\/.*/s,
      '/$1/[redacted]',
    )
    // The token of a grant, wherever somebody puts it.
    .replaceAll(/[\da-f-]{36}\.[\w-]{43}/gi, '[redacted]');
