import { Clock } from '../../src/clock.js';
import { CrashPoints, type CrashPoint } from '../../src/engine/runtime/crash-points.js';
import type { FakeClock } from './clock.js';

const never = new Promise<never>(() => undefined);

/** Stops the process for good the n-th time that a point is reached: whoever is there never goes on. */
export class StopAt extends CrashPoints {
  private left: number;
  readonly stopped: Promise<void>;
  private stop: () => void = () => undefined;
  isStopped = false;

  constructor(
    private readonly point: CrashPoint,
    nth: number,
  ) {
    super();
    this.left = nth;
    this.stopped = new Promise((resolve) => (this.stop = resolve));
  }

  override reach(point: CrashPoint): Promise<void> | void {
    if (this.isStopped) return never;
    if (point !== this.point || --this.left > 0) return undefined;
    this.isStopped = true;
    this.stop();
    return never;
  }
}

/** A dead process's clock: nobody who sleeps on it wakes again. */
export class MortalClock extends Clock {
  constructor(
    private readonly inner: FakeClock,
    private readonly crash: StopAt,
  ) {
    super();
  }
  now(): number {
    return this.inner.now();
  }
  async sleepUntil(at: number, signal?: AbortSignal): Promise<void> {
    await this.inner.sleepUntil(at, signal);
    if (this.crash.isStopped) await never;
  }
}
