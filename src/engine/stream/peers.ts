import { randomUUID } from 'node:crypto';
import { MAX_NOTICE_BYTES } from '../../database/notices.js';
import type { Instant } from '../../clock.js';

/** The part of `Notices` that the stream uses. */
export interface NoticeBoard {
  publish(channel: string, payload: string): void;
  on(channel: string, listener: (payload: string) => void): () => void;
  onReconnect(listener: () => void): () => void;
}

/** What this process learns of the others. */
export interface PeerListener {
  /** A workflow changed there, after `since`. */
  hint(workflowId: string, since: number): void;
  /** Something there was not heard, or may not have been; of the named workflows only, or of any. */
  missed(what: 'named' | 'all'): void;
  /** Others want to hear, or want no longer. */
  wantedChanged(): void;
}

export const CHANNEL = 'sallyport_changes';
/** Interest is repeated at every tick (3 s) and forgotten after three that were not heard. */
const INTEREST_MS = 10_000;
// Long enough to make one notice of a burst, short enough for people.
const COALESCE_MS = 20;
const MAX_UNTOLD = 1_000;
const MAX_NAMED_IDS = 100;
const MAX_PEERS = 100;

type Message =
  | {
      readonly kind: 'interest';
      readonly node: string;
      readonly all: boolean;
      readonly ids: readonly string[];
    }
  | {
      readonly kind: 'changes';
      readonly node: string;
      readonly sequence: number;
      /** More changed than is told. */
      readonly more: boolean;
      readonly changes: readonly (readonly [workflowId: string, since: number])[];
      /** From now on `to` is told what it wished anew; what happened before was not told. */
      readonly heeded?: { readonly to: string; readonly what: 'named' | 'all' } | undefined;
    };

interface Wish {
  readonly all: boolean;
  readonly ids: ReadonlySet<string>;
  readonly until: Instant;
}

/**
 * Tells other processes of changes that somebody there listens to, and hears of theirs.
 *
 * Each says every few seconds what it wants to hear; without such a wish nothing is sent. Notices carry hints only:
 * the receiver reads the rows. They are numbered and repeated empty, so that a lost one is noticed.
 */
export class Peers {
  readonly node = randomUUID();
  private readonly wishes = new Map<string, Wish>();
  private readonly heard = new Map<string, { sequence: number; at: Instant }>();
  private readonly untold = new Map<string, number>();
  private untoldMore = false;
  private sequence = 0;
  private timer: NodeJS.Timeout | undefined;
  private readonly unsubscribe: readonly (() => void)[];

  constructor(
    private readonly board: NoticeBoard,
    private readonly listener: PeerListener,
    private readonly now: () => Instant,
  ) {
    this.unsubscribe = [
      board.on(CHANNEL, (payload) => this.receive(payload)),
      board.onReconnect(() => this.listener.missed('all')),
    ];
  }

  get isWanted(): boolean {
    return this.wishes.size > 0;
  }

  wants(workflowId: string): boolean {
    for (const wish of this.wishes.values()) if (wish.all || wish.ids.has(workflowId)) return true;
    return false;
  }

  /** Tells whoever wants to hear it, soon. */
  tell(workflowId: string, since: number): void {
    if (this.untold.size >= MAX_UNTOLD && !this.untold.has(workflowId)) this.untoldMore = true;
    else this.untold.set(workflowId, Math.min(since, this.untold.get(workflowId) ?? since));
    this.sendSoon();
  }

  /** Tells that something changed without saying what. */
  tellMore(): void {
    this.untoldMore = true;
    this.sendSoon();
  }

  private sendSoon(): void {
    if (this.timer !== undefined) return;
    // Real time: nothing is stored of it.
    this.timer = setTimeout(() => this.send(), COALESCE_MS);
    this.timer.unref();
  }

  /** Says what this process wants to hear: everything (`all`) or these workflows. */
  announce(all: boolean, ids: readonly string[]): void {
    const whole = all || ids.length > MAX_NAMED_IDS;
    const named = { kind: 'interest', node: this.node, all: whole, ids: whole ? [] : ids } as const;
    const text = JSON.stringify(named satisfies Message);
    this.board.publish(
      CHANNEL,
      fits(text) ? text : JSON.stringify({ ...named, all: true, ids: [] } satisfies Message),
    );
  }

  /** Forgets wishes that were not repeated, and says that this process still tells. */
  tick(): void {
    const now = this.now();
    const before = this.isWanted;
    for (const [node, wish] of this.wishes) if (wish.until <= now) this.wishes.delete(node);
    for (const [node, { at }] of this.heard) if (at + INTEREST_MS <= now) this.heard.delete(node);
    if (this.isWanted) this.send();
    if (before !== this.isWanted) this.listener.wantedChanged();
  }

  /** How many others were heard lately. */
  get audible(): number {
    return this.heard.size;
  }

  stop(): void {
    clearTimeout(this.timer);
    for (const unsubscribe of this.unsubscribe) unsubscribe();
  }

  private send(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const changes = [...this.untold];
    const more = this.untoldMore;
    this.untold.clear();
    this.untoldMore = false;
    if (!this.isWanted) return;
    let part: (readonly [string, number])[] = [];
    let bytes = 0;
    for (const change of changes) {
      const length = Buffer.byteLength(JSON.stringify(change)) + 1;
      if (bytes + length > MAX_NOTICE_BYTES - 200) {
        this.sendPart(part, false);
        part = [];
        bytes = 0;
      }
      part.push(change);
      bytes += length;
    }
    this.sendPart(part, more);
  }

  private sendPart(
    changes: readonly (readonly [string, number])[],
    more: boolean,
    heeded?: { readonly to: string; readonly what: 'named' | 'all' },
  ): void {
    this.sequence += 1;
    const { node, sequence } = this;
    const message: Message = { kind: 'changes', node, sequence, more, changes, heeded };
    this.board.publish(CHANNEL, JSON.stringify(message));
  }

  private receive(payload: string): void {
    const message = JSON.parse(payload) as Message;
    if (message.kind === 'interest') this.note(message);
    else if (message.kind === 'changes') this.hear(message);
  }

  private note({ node, all, ids }: Extract<Message, { kind: 'interest' }>): void {
    const before = this.wishes.get(node);
    if (before === undefined && this.wishes.size >= MAX_PEERS) return;
    if (!all && ids.length === 0) this.wishes.delete(node);
    else this.wishes.set(node, { all, ids: new Set(ids), until: this.now() + INTEREST_MS });
    this.listener.wantedChanged();
    // At once, so that the other knows from when on it hears us.
    if (all && before?.all !== true) this.heed(node, 'all');
    else if (ids.some((id) => before?.ids.has(id) !== true)) this.heed(node, 'named');
  }

  private heed(to: string, what: 'named' | 'all'): void {
    this.send();
    this.sendPart([], false, { to, what });
  }

  private hear({ node, sequence, more, changes, heeded }: Extract<Message, { kind: 'changes' }>): void {
    const last = this.heard.get(node);
    if (last === undefined && this.heard.size >= MAX_PEERS) return;
    this.heard.set(node, { sequence, at: this.now() });
    for (const [workflowId, since] of changes) this.listener.hint(workflowId, since);
    // From one that was not heard before, too: what it did until now was not told.
    if (more || last === undefined || sequence !== last.sequence + 1) this.listener.missed('all');
    else if (heeded?.to === this.node) this.listener.missed(heeded.what);
  }
}

const fits = (text: string): boolean => Buffer.byteLength(text) <= MAX_NOTICE_BYTES;
