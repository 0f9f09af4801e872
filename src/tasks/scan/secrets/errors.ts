import { AppError } from '../../../errors.js';

/** A pattern that RE2 would refuse, or that means something the engine cannot keep; `offset` counts characters. */
export class PatternError extends AppError {
  readonly code = 'SECRET_PATTERN';
  readonly status = 400;
  constructor(
    message: string,
    readonly offset: number,
    options?: ErrorOptions,
  ) {
    super(`${message} (at character ${offset + 1} of the pattern)`, options);
  }
}

/** A rule file that cannot be used. Names the file, the rule and the field, so that it is mended in one look. */
export class RuleError extends AppError {
  readonly code = 'SECRET_RULES';
  readonly status = 400;
  constructor(
    readonly file: string,
    readonly ruleId: string | undefined,
    readonly field: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${file}: ${ruleId === undefined ? '' : `rule "${ruleId}", `}${field}: ${message}`, options);
  }
}

/** What a caught value says about itself. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
