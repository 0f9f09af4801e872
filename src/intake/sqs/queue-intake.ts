import { Injectable } from '@nestjs/common';
import { isDatabaseAway } from '../../database/is-away.js';
import { Database } from '../../database/database.js';
import { InvalidInput, Overloaded } from '../../errors.js';
import { parseJsonBody } from '../../http/json-body.js';
import { IntakeService, type MessageSource } from '../intake.service.js';

const SOURCE: MessageSource = { kind: 'sqs' };
// A database that is away is back within this as a rule; the queue keeps the messages meanwhile.
const AWAY_SECONDS = 30;
const PROBE_WITHIN_MS = 2_000;

/** What a queue's messages are taken into. */
@Injectable()
export class QueueIntake {
  constructor(
    private readonly intake: IntakeService,
    private readonly database: Database,
  ) {}

  /** Stores everything in a message: its events, or what is wrong with it. What it throws was not stored. */
  async take(body: string): Promise<void> {
    let message: unknown;
    try {
      message = parseJsonBody(body);
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      return this.intake.rejectText(body, error.problems[0]?.message ?? error.message, SOURCE);
    }
    await this.intake.accept(message, SOURCE);
  }

  /** Keeps a message that fails for a reason that nobody foresaw. */
  setAside(body: string, why: string): Promise<void> {
    return this.intake.rejectText(body, why, SOURCE, 'not_storable');
  }

  /** Seconds after which to try again what failed for want of the database or of room; undefined for other failures. */
  patienceFor(error: unknown): number | undefined {
    if (error instanceof Overloaded) return Math.max(1, error.retryAfterSeconds);
    return isDatabaseAway(error) ? AWAY_SECONDS : undefined;
  }

  async isReady(): Promise<boolean> {
    try {
      await this.database.query('SELECT 1', [], PROBE_WITHIN_MS);
      return true;
    } catch {
      // The database's own state tells what is wrong with it.
      return false;
    }
  }
}
