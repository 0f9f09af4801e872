/**
 * One answer that differs from the usual one. `lose`: Slack does it, and the line breaks before it says so.
 * `slow`: Slack does it at once, and says so that much later.
 */
export type Mishap =
  | { readonly kind: 'rateLimited'; readonly retryAfter: number }
  | { readonly kind: 'lose' }
  | { readonly kind: 'status'; readonly status: number }
  | { readonly kind: 'error'; readonly error: string }
  | { readonly kind: 'slow'; readonly ms: number };

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
