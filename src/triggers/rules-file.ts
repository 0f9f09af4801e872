import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Logger } from 'pino';
import type { Clock } from '../clock.js';
import { InvalidInput } from '../errors.js';
import { parseJsonBody } from '../http/json-body.js';
import { HealthCheck, type HealthResult } from '../ops/health.js';
import { Recurring } from '../recurring.js';
import { RuleFile, type RuleSpec } from './rule-spec.js';
import type { Triggers } from './triggers.service.js';

const LOOK_EVERY_MS = 5_000;
// 500 rules with the largest mappings that they may have are smaller.
const MAX_FILE_BYTES = 16 * 1024 ** 2;
const ACTOR = 'system:triggers-file';

export interface RulesFileParts {
  readonly path: string;
  readonly triggers: Triggers;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Applies a file of rules when the process starts and whenever its content changes. A file that cannot be applied
 * changes nothing: the rules stay as they are, /health says what is wrong, and it is tried again, since what it misses (a
 * workflow that is registered later) may come.
 */
export class RulesFile extends HealthCheck {
  readonly name = 'trigger rules';
  private readonly looks: Recurring;
  /** Of the content that was applied last by this process. */
  private applied: string | undefined;
  private problem: string | undefined;

  constructor(private readonly parts: RulesFileParts) {
    super();
    const { clock, log, path } = parts;
    this.looks = new Recurring({
      clock,
      log,
      everyMs: LOOK_EVERY_MS,
      onFailure: `the trigger rules of ${path} could not be applied; the rules are as they were`,
      turn: () => this.look(),
    });
  }

  /** Resolves after the first look, so that the first event meets the rules of the file. */
  async start(): Promise<void> {
    const { log, path } = this.parts;
    await this.look().catch((error: unknown) =>
      log.error(
        { err: error, path },
        'the trigger rules of the file could not be applied; tried again by itself',
      ),
    );
    this.looks.start();
  }

  stop(): Promise<void> {
    return this.looks.stop();
  }

  check(): readonly HealthResult[] {
    const { path } = this.parts;
    if (this.problem === undefined) {
      return [{ name: this.name, healthy: true, detail: `applied from ${path}` }];
    }
    return [
      {
        name: this.name,
        healthy: true,
        degraded: true,
        detail: `${path} is not applied; the rules are as they were: ${this.problem}`,
        remedy: 'Mend the file; it is read again by itself.',
      },
    ];
  }

  /** One look: applies the file unless its content is the one that was applied last. */
  async look(): Promise<void> {
    const { path, triggers, log } = this.parts;
    try {
      const text = await read(path);
      const digest = createHash('sha256').update(text).digest('hex');
      if (digest === this.applied) return;
      const applied = await triggers.apply(parse(text), { actor: ACTOR, keeper: 'file' });
      this.applied = digest;
      this.problem = undefined;
      log.info({ path, ...applied }, 'the trigger rules of the file hold');
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      // The same trouble every five seconds is said once.
      if (problem !== this.problem) {
        this.problem = problem;
        throw error;
      }
    }
  }
}

async function read(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > MAX_FILE_BYTES) throw new InvalidInput(`is ${size} bytes; ${MAX_FILE_BYTES} is the most`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** @throws InvalidInput naming the place. */
function parse(text: string): readonly RuleSpec[] {
  const parsed = RuleFile.safeParse(parseJsonBody(text));
  if (parsed.success) return parsed.data.rules;
  const problems = parsed.error.issues.map(({ path, message }) => ({
    path: path.map(String).join('.'),
    message,
  }));
  throw new InvalidInput(problems.map(({ path, message }) => `${path}: ${message}`).join('; '), problems);
}
