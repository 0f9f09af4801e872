import type { Json } from './refusal.js';

/**
 * One answer that differs from the usual one. `lose`: Slack does it, and the line breaks before it says so.
 * `slow`: Slack does it at once, and says so that much later. `answer`: something else answers in its place, and nothing
 * is done; `breaksOff` before it is whole. `says`: Slack does it, and says something else of it than is so.
 */
export type Mishap =
  | { readonly kind: 'rateLimited'; readonly retryAfter: number }
  | { readonly kind: 'lose' }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'error'; readonly error: string }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'says'; readonly answer: (truth: Json) => Json }
  | {
      readonly kind: 'answer';
      readonly body: string;
      readonly status?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly breaksOff?: boolean;
    };

/** What goes wrong with the next calls, method by method. */
export class Mishaps {
  private readonly waiting = new Map<string, Mishap[]>();

  add(method: string, mishaps: readonly Mishap[]): void {
    this.waiting.set(method, [...(this.waiting.get(method) ?? []), ...mishaps]);
  }

  next(method: string): Mishap | undefined {
    return this.waiting.get(method)?.shift();
  }

  clear(): void {
    this.waiting.clear();
  }
}
