import { Injectable } from '@nestjs/common';
import { appendAudit } from '../../audit/audit.js';
import { Clock } from '../../clock.js';
import { Database } from '../../database/database.js';
import { NotFound, Overloaded } from '../../errors.js';
import { worstOf, type Diagnosis, type DoctorCheck, type DoctorOrder } from './diagnosis.js';

/** All that was found. */
export interface Examination {
  readonly worst: Diagnosis['status'];
  readonly durationMs: number;
  readonly diagnoses: readonly Diagnosis[];
}

/** Has every part of the service prove that it works. One examination at a time in a process. */
@Injectable()
export class Doctor {
  private readonly checks: DoctorCheck[] = [];
  private isBusy = false;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  /** Called by the stages at start; bounded by their number. */
  add(check: DoctorCheck): void {
    this.checks.push(check);
  }

  /**
   * A check that throws or does not end in its time is itself a failure.
   *
   * @throws NotFound for a bucket that is not registered, Overloaded while an examination is under way.
   */
  async examine(order: DoctorOrder): Promise<Examination> {
    if (this.isBusy) throw new Overloaded('An examination is under way. Ask again when it is over.', 10);
    this.isBusy = true;
    try {
      const began = this.clock.now();
      const found = await Promise.all(this.checks.map((check) => inTime(check, order)));
      const diagnoses = found.flat();
      const worst = worstOf(diagnoses);
      const data = { worst, buckets: order.buckets?.map(({ bucket }) => bucket) ?? 'all' };
      await appendAudit(this.database, [
        {
          at: Math.round(this.clock.now()),
          actor: order.actor,
          action: 'doctor.examined',
          subject: 'service',
          data,
        },
      ]);
      return { worst, durationMs: Math.round(this.clock.now() - began), diagnoses };
    } finally {
      this.isBusy = false;
    }
  }
}

async function inTime(check: DoctorCheck, order: DoctorOrder): Promise<readonly Diagnosis[]> {
  const limitSeconds = check.limitSeconds + order.waitSeconds;
  const aborter = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Diagnosis[]>((resolve) => {
    timer = setTimeout(() => {
      aborter.abort();
      resolve([failed(check, `no end within ${limitSeconds} s`)]);
    }, limitSeconds * 1000);
  });
  try {
    return await Promise.race([check.run(order, aborter.signal), late]);
  } catch (error) {
    // What was asked for is not there: that is the caller's to hear, and no illness.
    if (error instanceof NotFound) throw error;
    return [failed(check, (error as Error).message)];
  } finally {
    clearTimeout(timer);
  }
}

const failed = ({ name }: DoctorCheck, fact: string): Diagnosis => ({
  check: name,
  subject: 'service',
  status: 'fail',
  fact,
  remedy: 'Look at the log of this node, and try again.',
});
