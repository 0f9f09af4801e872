import type { Instant } from '../clock.js';
import type { Database } from '../database/database.js';
import type { Queryable } from '../database/queryable.js';
import { Together } from '../database/together.js';
import { Overloaded } from '../errors.js';
import type { TriggerRules } from '../triggers/trigger-rules.js';
import { isVersioned, lockKeys } from '../verdicts/identity.js';
import type { ObjectRef } from '../verdicts/ledger.js';
import { storeThreats, type ExternalThreat } from '../verdicts/sql/external-threats.js';
import { markDeleted, tellUploaders } from '../verdicts/sql/object-rows.js';
import type { RejectedEvent, S3Event } from './s3-event.js';
import { sequenceOf } from './sequencer.js';
import { objectsOfEvents } from './sql/repeated-uploaders.js';
import { knownEvents, storeEvents, type StoredEvent } from './sql/store-events.js';
import { storeRejects } from './sql/store-rejects.js';
import { storeUploads } from './store-uploads.js';
import { uploaderOf } from './uploader.js';

/** An event whose bucket is ours, ready to be stored. */
export interface PlacedEvent {
  readonly event: S3Event;
  readonly ref: ObjectRef;
  readonly nonce: string;
  readonly eventKey: string;
  /** 0..99 of its bucket, for uploads; the rule's when absent. */
  readonly priority?: number | undefined;
}

/** What a message holds once its events have found their buckets. */
export interface PlacedMessage {
  readonly sourceKind: string;
  /** Of the source, where it has one. */
  readonly endpointId?: string | undefined;
  readonly placed: readonly PlacedEvent[];
  readonly rejects: readonly RejectedEvent[];
  readonly receivedAt: Instant;
}

// One transaction's worth: a thousandth of a second each, and locks for all of their keys.
const MAX_EVENTS = 500;
// Sources that deliver one event a message wait for their answer; more of them than this would only fill the memory.
const MAX_WAITING = 10_000;

/**
 * Stores messages that arrive at the same time in one transaction: a commit costs the same for one event as for five
 * hundred. A message is stored whole or not at all, and one that the database refuses harms none beside it.
 */
export class EventBatches {
  private readonly batches: Together<PlacedMessage, readonly StoredEvent[]>;

  constructor(
    private readonly database: Database,
    private readonly rules: TriggerRules,
    onStored: (delivering: number) => void = () => undefined,
  ) {
    const store = async (messages: readonly PlacedMessage[]) => {
      const stored = await this.commit(messages);
      onStored(messages.length + this.batches.length);
      return stored;
    };
    this.batches = new Together(store, {
      most: MAX_EVENTS,
      isOrdered: true,
      sizeOf: ({ placed, rejects }) => placed.length + rejects.length,
    });
  }

  /**
   * @returns what was stored now; events of earlier deliveries are left out.
   * @throws Overloaded when too many messages wait already.
   */
  async store(message: PlacedMessage): Promise<readonly StoredEvent[]> {
    if (this.batches.length >= MAX_WAITING) {
      throw new Overloaded(`${MAX_WAITING} messages wait to be stored. Send this one again later.`, 1, 503);
    }
    return this.batches.do(message);
  }

  /** One transaction. @returns what each message added. */
  private commit(messages: readonly PlacedMessage[]): Promise<readonly (readonly StoredEvent[])[]> {
    return this.database.transaction(async (tx) => {
      await storeRejects(
        tx,
        messages.flatMap(({ rejects, sourceKind, endpointId, receivedAt }) =>
          rejects.map((rejected) => ({ rejected, sourceKind, endpointId, at: receivedAt })),
        ),
      );
      const told = messages.flatMap(({ placed, receivedAt }, message) =>
        placed.map((event) => ({ ...event, receivedAt, message })),
      );
      await storeThreats(tx, told.flatMap(threatIn));
      const stored = await this.storeTold(tx, told);
      const outcomes: StoredEvent[][] = messages.map(() => []);
      for (const { message, event } of stored) outcomes[message]?.push(event);
      return outcomes;
    });
  }

  private async storeTold(tx: Queryable, told: readonly Told[]) {
    if (told.length === 0) return [];
    await lockKeys(
      tx,
      told.map(({ ref }) => ref),
    );
    const seen = await knownEvents(
      tx,
      told.map(({ eventKey }) => eventKey),
    );
    const repeated = told.filter(({ eventKey }) => seen.has(eventKey));
    const news = told.filter(({ eventKey }) => !seen.has(eventKey) && seen.add(eventKey));
    const stored = news.length === 0 ? [] : await this.storeNews(tx, news);
    await tellRepeated(tx, repeated);
    return stored;
  }

  private async storeNews(tx: Queryable, news: readonly Told[]) {
    const match = await this.rules.match(tx);
    const stored: { readonly message: number; readonly event: StoredEvent }[] = [];
    for (const round of rounds(news)) {
      const uploads = round.filter(isUpload);
      const effects = await storeUploads(tx, uploads, match);
      for (const [index, upload] of uploads.entries()) {
        const effect = effects[index];
        if (effect !== undefined)
          stored.push({ message: upload.message, event: { ...common(upload), ...effect } });
      }
      for (const other of round) {
        const { kind } = other.event;
        if (kind === 'created' || kind === 'restored') continue;
        if (kind === 'deleted') await storeDeletion(tx, other);
        stored.push({
          message: other.message,
          event: { ...common(other), openedObject: false, effect: kind },
        });
      }
    }
    await storeEvents(
      tx,
      stored.map(({ event }) => event),
    );
    return stored;
  }
}

/** What another scanner says that it found; it is kept also of an event that is known already. */
function threatIn({ event, ref, receivedAt }: Told): ExternalThreat[] {
  const { opinion, eTag } = event;
  if (opinion?.result !== 'THREATS_FOUND') return [];
  return [{ engine: opinion.engine, ref, eTag, names: opinion.threats, receivedAt }];
}

/** The same event by another way may name the person where the first named the account: SQS beside EventBridge. */
async function tellRepeated(tx: Queryable, repeated: readonly Told[]): Promise<void> {
  const saying = repeated.flatMap(({ eventKey, event }) => {
    const uploader = uploaderOf(event);
    return uploader === undefined ? [] : [{ eventKey, uploader }];
  });
  if (saying.length === 0) return;
  const objects = await objectsOfEvents(
    tx,
    saying.map(({ eventKey }) => eventKey),
  );
  await tellUploaders(
    tx,
    saying.flatMap(({ eventKey, uploader }) => {
      const objectId = objects.get(eventKey);
      return objectId === undefined ? [] : [{ objectId, uploader }];
    }),
  );
}

interface Told extends PlacedEvent {
  readonly receivedAt: Instant;
  /** Which message of the batch it came with. */
  readonly message: number;
}

/** No two events of a round are about one key; a key's events come one round after another, in their order. */
function rounds(told: readonly Told[]): readonly (readonly Told[])[] {
  const result: Told[][] = [];
  const next = new Map<string, number>();
  for (const one of told) {
    const key = JSON.stringify([one.ref.endpointId, one.ref.bucket, one.ref.key]);
    const round = next.get(key) ?? 0;
    next.set(key, round + 1);
    (result[round] ??= []).push(one);
  }
  return result;
}

const isUpload = ({ event }: Told): boolean => event.kind === 'created' || event.kind === 'restored';

const common = ({ eventKey, ref, event, receivedAt }: Told) => ({
  eventKey,
  endpointId: ref.endpointId,
  event,
  receivedAt,
});

const storeDeletion = (tx: Queryable, { ref, event, receivedAt }: Told): Promise<void> =>
  markDeleted(tx, ref, {
    at: event.eventTime ?? receivedAt,
    versioned: isVersioned(ref),
    sequence: sequenceOf(event.sourceKind, event.sequencer),
  });
