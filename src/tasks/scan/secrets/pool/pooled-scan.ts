import { InvalidInput, Unavailable } from '../../../../errors.js';
import type { Checkpoint } from '../engine/byte-scan.js';
import type { SecretScan, SecretScanResult, SecretScanTarget } from '../finding.js';
import type { Order, Report } from './messages.js';
import type { SharedChunks } from './shared-chunks.js';

/** Where a scan sends its orders: the worker that it is on. */
export interface Orders {
  readonly chunks: SharedChunks;
  send(order: Order): void;
  /** The scan needs its worker no more. */
  leave(scanId: number): void;
}

/** A promise and the means to settle it. A rejection that nobody waits for stays quiet. */
class Outcome<T> {
  resolve!: (value: T) => void;
  reject!: (error: Error) => void;
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });

  constructor() {
    this.promise.catch(() => undefined);
  }
}

interface Sent {
  readonly sequence: number;
  /** Position in the object. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

// Enough to keep a worker busy between two reads from S3, little enough for hundreds of scans.
const MAX_UNCONFIRMED_BYTES = 512 * 1024;
// Each costs the deadline. An object that stops six patterns is made for it.
const MAX_RESTARTS = 6;

/**
 * The pool's side of one scan. Keeps what was written since the worker's last checkpoint, so that the scan goes on
 * in a new worker when a rule had to be killed together with the old one.
 */
export class PooledScan implements SecretScan {
  readonly #result = new Outcome<SecretScanResult>();
  readonly #expired = new Set<number>();
  #sent: Sent[] = [];
  #checkpoint: Checkpoint | undefined;
  #written = 0;
  #sequence = 0;
  #confirmed = 0;
  #unconfirmedBytes = 0;
  #restarts = 0;
  #state: 'open' | 'ending' | 'over' = 'open';
  #failure: Unavailable | undefined;
  #room: Outcome<void> | undefined;

  constructor(
    readonly scanId: number,
    private readonly target: SecretScanTarget,
    private readonly orders: Orders,
  ) {
    this.#open();
  }

  #open(): void {
    const { scanId, target } = this;
    const expired = [...this.#expired];
    this.orders.send({ kind: 'open', scanId, target, checkpoint: this.#checkpoint, expired });
  }

  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#state !== 'open')
      throw new InvalidInput('The scan has ended: open a new one for another object.');
    if (chunk.length === 0) return undefined;
    // A copy: the caller may use its buffer again.
    const bytes = this.orders.chunks.copy(chunk);
    const sent = { sequence: ++this.#sequence, offset: this.#written, bytes };
    this.#sent.push(sent);
    this.#written += chunk.length;
    this.#unconfirmedBytes += chunk.length;
    this.#send(sent, sent.bytes);
    if (this.#unconfirmedBytes <= MAX_UNCONFIRMED_BYTES) return undefined;
    this.#room ??= new Outcome();
    return this.#room.promise;
  }

  end(): Promise<SecretScanResult> {
    if (this.#state === 'open') {
      this.#state = 'ending';
      this.orders.send({ kind: 'end', scanId: this.scanId });
    }
    return this.#result.promise;
  }

  abort(): void {
    if (this.#state === 'over') return;
    this.orders.send({ kind: 'abort', scanId: this.scanId });
    this.fail(new Unavailable('secret scanner', 'The scan was given up.'));
  }

  /** What the worker says about this scan. */
  hear(report: Report): void {
    if (this.#state === 'over') return;
    if (report.kind === 'failed') {
      this.fail(new Unavailable('secret scanner', `The secret scanner failed: ${report.message}`));
    } else if (report.kind === 'result') {
      this.#finish();
      this.#result.resolve(report.result);
    } else {
      this.#confirm(report.sequence);
      if (report.checkpoint !== undefined) this.#keep(report.checkpoint);
    }
  }

  #confirm(upTo: number): void {
    // After a restart the worker confirms again what the old one had confirmed.
    if (upTo <= this.#confirmed) return;
    for (const { sequence, bytes } of this.#sent)
      if (sequence > this.#confirmed && sequence <= upTo) this.#unconfirmedBytes -= bytes.length;
    this.#confirmed = upTo;
    if (this.#unconfirmedBytes > MAX_UNCONFIRMED_BYTES) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  #keep(checkpoint: Checkpoint): void {
    this.#checkpoint = checkpoint;
    for (const ruleIndex of checkpoint.expired) this.#expired.add(ruleIndex);
    // Confirmed before, so that the worker has read them.
    const isCovered = ({ offset, bytes }: Sent): boolean => offset + bytes.length <= checkpoint.resumeAt;
    for (const sent of this.#sent) if (isCovered(sent)) this.orders.chunks.release(sent.bytes);
    this.#sent = this.#sent.filter((sent) => !isCovered(sent));
  }

  /**
   * Goes on in a new worker, from the last checkpoint. `stoppedBy` is the rule of this scan that did not come back,
   * for which the rest of the object is not searched; or why else the old worker is gone.
   */
  resume(stoppedBy: number | 'another scan' | 'unknown'): void {
    if (typeof stoppedBy === 'number') this.#expired.add(stoppedBy);
    if (stoppedBy !== 'another scan' && ++this.#restarts > MAX_RESTARTS) {
      const problem = `The secret scanner was restarted ${MAX_RESTARTS} times while it worked on this object.`;
      this.fail(new Unavailable('secret scanner', problem));
      return;
    }
    this.#open();
    const resumeAt = this.#checkpoint?.resumeAt ?? 0;
    for (const sent of this.#sent) {
      const skip = Math.max(0, resumeAt - sent.offset);
      if (skip < sent.bytes.length) this.#send(sent, sent.bytes.subarray(skip));
    }
    if (this.#state === 'ending') this.orders.send({ kind: 'end', scanId: this.scanId });
  }

  /** What was written is kept, and the worker reads it there, until a checkpoint covers it. */
  #send({ sequence }: Sent, bytes: Uint8Array): void {
    this.orders.send({ kind: 'write', scanId: this.scanId, sequence, bytes });
  }

  fail(error: Unavailable): void {
    if (this.#state === 'over') return;
    this.#failure = error;
    this.#finish();
    this.#result.reject(error);
    this.#room?.reject(error);
  }

  #finish(): void {
    // Given up in the middle, a worker may still read what it was sent; that memory is not used again.
    if (this.#confirmed === this.#sequence)
      for (const { bytes } of this.#sent) this.orders.chunks.release(bytes);
    this.#state = 'over';
    this.#sent = [];
    this.orders.leave(this.scanId);
  }
}
