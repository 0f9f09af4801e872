import { randomBytes } from 'node:crypto';
import pg, { escapeIdentifier } from 'pg';
import { connectionTo } from './connection.js';
import type { Queryable } from './queryable.js';

/** PostgreSQL takes payloads below 8,000 bytes; ours travel with the sender's mark. */
export const MAX_NOTICE_BYTES = 7_900;

// Long enough to make one statement of a burst, short enough to stay below a waiting worker's 10 ms.
const COALESCE_MS = 5;
// More different notices than this wait for a slow database: the newest are dropped, and everybody looks again anyway.
const MAX_PENDING = 10_000;
const MAX_PER_STATEMENT = 500;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;
// A connection that a firewall forgot looks alive until somebody speaks.
const PROBE_EVERY_MS = 10_000;
const PROBE_TIMEOUT_MS = 5_000;
const MARK_LENGTH = 12;
const CHANNEL = /^[a-z_][a-z0-9_]{0,62}$/;

// Nothing is stored, so that nobody has to wait for a disk: the setting ends with the statement.
const NOTIFY = `
  SELECT set_config('synchronous_commit', 'off', true), pg_notify(channel, payload)
  FROM unnest($1::text[], $2::text[]) AS new (channel, payload)`;

export type NoticeListener = (payload: string) => void;

/** The part of pino that notices use. */
export interface NoticesLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export interface NoticesState {
  readonly isListening: boolean;
  /** How often the listening connection was lost and made again. */
  readonly reconnects: number;
  /** Notices that were never sent: nothing is lost but speed. */
  readonly dropped: number;
  readonly problem: string | undefined;
}

interface Parts {
  /** Where to LISTEN; a connection of its own that no transaction pooler may share. */
  readonly listenUrl: string;
  /** Sends; may be behind a pooler. */
  readonly sender: Queryable;
  readonly log?: NoticesLog | undefined;
}

/**
 * Tells other processes on the same database that something may have changed, by LISTEN and NOTIFY.
 *
 * A notice is a hint: it may be lost, so that whoever waits for one looks again within a second and after a reconnect.
 * It is sent outside of every transaction that decides something, because NOTIFY makes commits wait for each other.
 */
export class Notices {
  private readonly mark = randomBytes(MARK_LENGTH / 2).toString('hex');
  private readonly listeners = new Map<string, Set<NoticeListener>>();
  private readonly reconnectListeners = new Set<() => void>();
  private readonly pending = new Map<string, { channel: string; payload: string }>();
  /** What the connection listens to. */
  private readonly channels = new Set<string>();
  private subscribing: Promise<void> | undefined;
  private client: pg.Client | undefined;
  private isListening = false;
  private isStopped = false;
  private reconnects = 0;
  private dropped = 0;
  private problem: string | undefined;
  private failures = 0;
  private retry: NodeJS.Timeout | undefined;
  private probe: NodeJS.Timeout | undefined;
  private flushTimer: NodeJS.Timeout | undefined;
  private flushedAt = -Infinity;
  private flushing: Promise<void> | undefined;

  private constructor(private readonly parts: Parts) {}

  /** Resolves after the first attempt to listen, whatever became of it; it goes on trying until `stop`. */
  static async start(parts: Parts): Promise<Notices> {
    const notices = new Notices(parts);
    await notices.connect(true);
    return notices;
  }

  get state(): NoticesState {
    const { isListening, reconnects, dropped, problem } = this;
    return { isListening, reconnects, dropped, problem };
  }

  /**
   * Tells the other processes, soon: the same channel and payload at most once per 5 ms. Never waits, never fails; own
   * listeners do not hear it. @throws RangeError for a payload over 7,900 bytes or a name that is no channel.
   */
  publish(channel: string, payload: string): void {
    checkChannel(channel);
    if (payload.length * 3 > MAX_NOTICE_BYTES && Buffer.byteLength(payload) > MAX_NOTICE_BYTES) {
      throw new RangeError(
        `A notice holds at most ${MAX_NOTICE_BYTES} bytes. Send what to look at, not what it is.`,
      );
    }
    if (this.isStopped) return;
    const key = `${channel} ${payload}`;
    if (this.pending.size >= MAX_PENDING && !this.pending.has(key)) {
      this.dropped += 1;
      return;
    }
    this.pending.set(key, { channel, payload });
    this.scheduleFlush();
  }

  /** Hears what other processes publish. @returns how to stop. */
  on(channel: string, listener: NoticeListener): () => void {
    checkChannel(channel);
    const listening = this.listeners.get(channel) ?? new Set();
    if (!this.listeners.has(channel)) {
      this.listeners.set(channel, listening);
      void this.subscribe();
    }
    listening.add(listener);
    return () => {
      listening.delete(listener);
      if (listening.size > 0 || this.listeners.get(channel) !== listening) return;
      this.listeners.delete(channel);
      void this.subscribe();
    };
  }

  /** Resolves when what `on` asked for so far is in force (or the connection is lost). */
  subscribed(): Promise<void> {
    return this.subscribing ?? Promise.resolve();
  }

  /** Called when listening begins again: what was said meanwhile was not heard. @returns how to stop. */
  onReconnect(listener: () => void): () => void {
    this.reconnectListeners.add(listener);
    return () => this.reconnectListeners.delete(listener);
  }

  /** Sends what waits, then hangs up. */
  async stop(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    clearTimeout(this.retry);
    clearInterval(this.probe);
    clearTimeout(this.flushTimer);
    await this.flushing;
    if (this.pending.size > 0) await this.flush();
    this.isListening = false;
    const client = this.client;
    this.client = undefined;
    // Whatever the server says to the goodbye: the connection is of no use any more.
    await client?.end().catch(() => undefined);
  }

  private scheduleFlush(): void {
    if (this.flushTimer !== undefined || this.flushing !== undefined) return;
    // Real time: nothing is stored of it.
    const left = Math.max(0, this.flushedAt + COALESCE_MS - performance.now());
    this.flushTimer = setTimeout(() => {
      this.flushTimer = undefined;
      // A timer counts from when its loop last looked at the clock, so that it may come early.
      if (performance.now() < this.flushedAt + COALESCE_MS) {
        this.scheduleFlush();
        return;
      }
      this.flushing = this.flush().finally(() => {
        this.flushing = undefined;
        if (this.pending.size > 0 && !this.isStopped) this.scheduleFlush();
      });
    }, left);
  }

  private async flush(): Promise<void> {
    const batch = [...this.pending].slice(0, MAX_PER_STATEMENT);
    for (const [key] of batch) this.pending.delete(key);
    this.flushedAt = performance.now();
    try {
      await this.parts.sender.query(NOTIFY, [
        batch.map(([, { channel }]) => channel),
        batch.map(([, { payload }]) => this.mark + payload),
      ]);
    } catch (error) {
      // The database is away: whoever should have heard looks again by himself.
      this.dropped += batch.length;
      this.problem = `could not send: ${(error as Error).message}`;
    }
  }

  private async connect(isFirst: boolean): Promise<void> {
    const client = new pg.Client({
      ...connectionTo(this.parts.listenUrl, 'DATABASE_LISTEN_URL'),
      application_name: 'sallyport-notices',
      connectionTimeoutMillis: PROBE_TIMEOUT_MS,
    });
    client.on('error', (error) => this.lost(client, error));
    client.on('end', () => this.lost(client, new Error('the connection ended')));
    client.on('notification', ({ channel, payload = '' }) => this.heard(channel, payload));
    this.client = client;
    try {
      await client.connect();
      this.channels.clear();
      await this.agree(client);
    } catch (error) {
      this.lost(client, error as Error);
      return;
    }
    if (this.client !== client) return;
    this.isListening = true;
    this.failures = 0;
    this.problem = undefined;
    this.probe = setInterval(() => this.check(client), PROBE_EVERY_MS);
    this.probe.unref();
    if (isFirst) return;
    this.reconnects += 1;
    this.parts.log?.info({ reconnects: this.reconnects }, 'listening for notices again');
    for (const listener of this.reconnectListeners) listener();
  }

  /** One statement at a time: the driver wants it so. */
  private subscribe(): Promise<void> {
    const { client } = this;
    if (!this.isListening || client === undefined) return Promise.resolve();
    this.subscribing ??= this.agree(client)
      .catch((error: unknown) => this.lost(client, error as Error))
      .finally(() => (this.subscribing = undefined));
    return this.subscribing;
  }

  /** Makes the connection listen to what is asked for, and to nothing else. */
  private async agree(client: pg.Client): Promise<void> {
    for (;;) {
      const wanted = [...this.listeners.keys()].find((channel) => !this.channels.has(channel));
      const unwanted = [...this.channels].find((channel) => !this.listeners.has(channel));
      if (wanted !== undefined) {
        await client.query(`LISTEN ${escapeIdentifier(wanted)}`);
        this.channels.add(wanted);
      } else if (unwanted !== undefined) {
        await client.query(`UNLISTEN ${escapeIdentifier(unwanted)}`);
        this.channels.delete(unwanted);
      } else return;
    }
  }

  private check(client: pg.Client): void {
    if (this.subscribing !== undefined) return;
    const late = setTimeout(() => this.lost(client, new Error('the connection is silent')), PROBE_TIMEOUT_MS);
    late.unref();
    this.subscribing = client
      .query('SELECT 1')
      .then(
        () => this.agree(client),
        (error: unknown) => this.lost(client, error as Error),
      )
      .catch((error: unknown) => this.lost(client, error as Error))
      .finally(() => {
        clearTimeout(late);
        this.subscribing = undefined;
      });
  }

  private lost(client: pg.Client, error: Error): void {
    if (this.client !== client || this.isStopped) return;
    const wasListening = this.isListening;
    this.client = undefined;
    this.isListening = false;
    this.problem = error.message;
    clearInterval(this.probe);
    if (wasListening)
      this.parts.log?.warn({ err: error }, 'notices of other nodes are not heard; connecting again');
    // It is broken already; its own complaint about that has nobody to read it.
    client.end().catch(() => undefined);
    const pause = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.failures, 10));
    this.failures += 1;
    this.retry = setTimeout(() => void this.connect(false), pause);
    this.retry.unref();
  }

  private heard(channel: string, marked: string): void {
    if (marked.startsWith(this.mark)) return;
    const payload = marked.slice(MARK_LENGTH);
    for (const listener of this.listeners.get(channel) ?? []) {
      try {
        listener(payload);
      } catch (error) {
        this.parts.log?.warn({ err: error, channel }, 'a listener could not use a notice');
      }
    }
  }
}

function checkChannel(channel: string): void {
  if (!CHANNEL.test(channel)) throw new RangeError(`"${channel}" is no name of a channel (a-z, 0-9 and _).`);
}
