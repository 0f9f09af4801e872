import { randomBytes } from 'node:crypto';
import { Refusal } from './refusal.js';

const LIVES_MS = 3000;
// More than can be clicked within their three seconds.
const KEPT = 20_000;

/** The right to open one modal, which every interaction brings: for three seconds, once. */
export class Triggers {
  private readonly issued = new Map<string, { user: string; at: number; used: boolean }>();

  /** Lived by a real clock: it is about how fast the service is. */
  now: () => number = () => performance.now();

  issue(user: string): string {
    const id = `trigger.${randomBytes(6).toString('hex')}`;
    this.issued.set(id, { user, at: this.now(), used: false });
    const [oldest] = this.issued.keys();
    if (this.issued.size > KEPT && oldest !== undefined) this.issued.delete(oldest);
    return id;
  }

  /** @returns whose modal may be opened. */
  redeem(id: string): string {
    const trigger = this.issued.get(id);
    if (trigger === undefined) throw new Refusal('invalid_trigger_id');
    if (trigger.used) throw new Refusal('exchanged_trigger_id');
    if (this.now() - trigger.at > LIVES_MS) throw new Refusal('expired_trigger_id');
    trigger.used = true;
    return trigger.user;
  }
}
