/** How a page's stream fares. `since`: when something was last known to be current (ms). */
export type Liveness =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'reconnecting'; readonly since: number }
  | { readonly kind: 'stale'; readonly since: number };

/** The part of EventSource that is used, so that tests can stand in for it. */
export interface Source {
  readonly readyState: number;
  addEventListener(event: string, listener: (event: { readonly data?: string }) => void): void;
  close(): void;
}

interface Parts {
  /** Opens the stream from what is known now. */
  readonly open: () => Source;
  readonly onEvent: (event: 'change' | 'reset', data: unknown) => void;
  readonly onLiveness: (state: Liveness) => void;
  /** The stream was refused; perhaps the session ended. */
  readonly onRefused: () => void;
  readonly now: () => number;
}

// The server says something every 15 s; two that are missed may be a slow line.
const SILENT_MS = 40_000;
const LOOK_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
const CLOSED = 2;

/**
 * One stream of server-sent events that comes back by itself, and says honestly whether it lives. The browser's own
 * source gives up when the server answers anything but a stream; this one tries again, ever more seldom.
 */
export class LiveConnection {
  private source: Source | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly watch: ReturnType<typeof setInterval>;
  private heardAt: number;
  private openedAt = 0;
  private failures = 0;
  private hasBeenLive = false;

  constructor(private readonly parts: Parts) {
    this.heardAt = parts.now();
    this.watch = setInterval(() => this.look(), LOOK_MS);
    parts.onLiveness({ kind: 'connecting' });
    this.connect();
  }

  close(): void {
    clearInterval(this.watch);
    clearTimeout(this.timer);
    this.source?.close();
    this.source = undefined;
  }

  private connect(): void {
    this.timer = undefined;
    this.openedAt = this.parts.now();
    const source = this.parts.open();
    this.source = source;
    const on = (event: string, act: (data: string | undefined) => void): void =>
      source.addEventListener(event, ({ data }) => {
        if (this.source === source) act(data);
      });
    on('hello', () => this.heard(undefined));
    for (const event of ['change', 'reset'] as const) {
      on(event, (data) => {
        this.heard(undefined);
        this.parts.onEvent(event, JSON.parse(data ?? '{}'));
      });
    }
    on('beat', (data) => this.heard((JSON.parse(data ?? '{}') as { behindSince?: number }).behindSince));
    on('error', () => this.lost(source));
  }

  private heard(behindSince: number | undefined): void {
    this.heardAt = this.parts.now();
    this.failures = 0;
    this.hasBeenLive = true;
    this.parts.onLiveness(
      behindSince === undefined ? { kind: 'live' } : { kind: 'stale', since: behindSince },
    );
  }

  private lost(source: Source): void {
    this.parts.onLiveness(
      this.hasBeenLive ? { kind: 'reconnecting', since: this.heardAt } : { kind: 'connecting' },
    );
    if (source.readyState !== CLOSED || this.timer !== undefined) return;
    this.parts.onRefused();
    const pause = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures);
    this.failures = Math.min(this.failures + 1, 10);
    // Not all pages at the same moment.
    this.timer = setTimeout(() => this.connect(), pause * (0.75 + Math.random() / 2));
  }

  private look(): void {
    if (this.parts.now() - this.heardAt <= SILENT_MS) return;
    this.parts.onLiveness({ kind: 'stale', since: this.heardAt });
    if (this.timer !== undefined || this.parts.now() - this.openedAt <= SILENT_MS) return;
    // A line that is dead without saying so: a new one, and its time to speak.
    this.source?.close();
    this.timer = setTimeout(() => this.connect(), FIRST_RETRY_MS);
  }
}
