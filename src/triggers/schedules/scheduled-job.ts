import type { Instant } from '../../clock.js';
import type { JsonObject } from '../../engine/model/json.js';

/** Which firing a job runs for. */
export interface Firing {
  /** The same for every attempt at this due instant, and for no other: a UUID to derive ids and keys from. */
  readonly id: string;
  readonly scheduleName: string;
  /** From 1. */
  readonly attempt: number;
  /** Aborts when the service stops, or when the firing is not this process's any more: leave promptly. */
  readonly signal: AbortSignal;
}

/**
 * What a kind of schedule does. Registered by `SchedulesModule.with`.
 *
 * A run must be repeatable: after a crash, or when it throws, the same due instant is run again with the same firing
 * id, up to ten times. It should begin work that is kept elsewhere (a row, a workflow) rather than do it: it has an
 * hour, and the next due instant of its schedule waits for it.
 */
export abstract class ScheduledJob {
  /** Lower snake_case; what `kind` of a schedule names. */
  abstract readonly kind: string;
  /**
   * Called when a schedule is saved.
   *
   * @throws InvalidInput naming the place, as `payload.bucket`.
   */
  abstract checkPayload(payload: JsonObject): void | Promise<void>;
  /** @param firedAt the due instant, which may be past: not the time of the run. */
  abstract run(payload: JsonObject, firedAt: Instant, firing: Firing): Promise<void>;
}

/** The jobs that this process knows, by kind. A node of another version may know others. */
export class ScheduledJobs {
  private readonly byKind: ReadonlyMap<string, ScheduledJob>;

  constructor(jobs: readonly ScheduledJob[]) {
    this.byKind = new Map(jobs.map((job) => [job.kind, job]));
    if (this.byKind.size < jobs.length) throw new Error('two scheduled jobs have the same kind');
  }

  get kinds(): readonly string[] {
    return [...this.byKind.keys()];
  }

  find(kind: string): ScheduledJob | undefined {
    return this.byKind.get(kind);
  }
}
