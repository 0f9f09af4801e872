import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.js';
import type { ExecutionStore } from '../execution-store.js';
import type { Task } from '../model/execution.js';
import type { JsonObject } from '../model/json.js';
import type { CrashPoints } from '../runtime/crash-points.js';
import { roughBytes } from '../runtime/rough-bytes.js';
import type { RuntimeLog } from '../runtime/runtime-log.js';
import { PayloadGone, type PayloadStore } from './payload-store.js';
import {
  digestOfKey,
  digestOfText,
  ownerOf,
  placeholder,
  refOf,
  remember,
  type PayloadRef,
} from './placeholder.js';

/** Where large values are kept: `primary` takes the new ones, each of `all` is asked for its own. */
export interface PayloadStores {
  readonly primary: PayloadStore;
  /** Takes what the primary cannot; holds older ones. */
  readonly fallback: PayloadStore;
}

interface Parts {
  readonly stores: PayloadStores;
  readonly records: Pick<ExecutionStore, 'registerPayload' | 'takeUnusedPayloads' | 'forgetPayloads'>;
  readonly clock: Clock;
  readonly crash: CrashPoints;
  readonly log: RuntimeLog;
}

// What was just written or read is often read again at once: by the worker that gets it, by the next decision.
const RESIDENT_BYTES = 32 * 1024 * 1024;
const VALUES_PER_SWEEP = 100;
const MAX_SWEEPS = 100;

/** Stores and fetches large values, and remembers the latest within a bound. */
export class PayloadVault {
  private readonly resident = new Map<string, { value: JsonObject; bytes: number }>();
  private residentBytes = 0;
  private turn: Promise<void> = Promise.resolve();

  constructor(private readonly parts: Parts) {}

  /** Durable when it resolves, and not in use until a commit refers to it. */
  async save(workflowId: string, value: JsonObject): Promise<PayloadRef> {
    const text = JSON.stringify(value);
    const { primary, fallback } = this.parts.stores;
    let ref: PayloadRef;
    try {
      ref = await this.put(primary, workflowId, text);
    } catch (error) {
      if (primary === fallback) throw error;
      this.parts.log.warn(
        { err: error, workflowId, store: primary.name },
        `the payload store did not take a value; it is kept in ${fallback.name} instead`,
      );
      ref = await this.put(fallback, workflowId, text);
    }
    remember(value, placeholder(ref));
    this.keep(ref.key, value);
    return ref;
  }

  private async put(store: PayloadStore, workflowId: string, text: string): Promise<PayloadRef> {
    const { records, clock, crash } = this.parts;
    const bytes = Buffer.byteLength(text);
    // Random at the end: a key that was ever given up is never written again.
    const key = `${ownerOf(workflowId)}/${digestOfText(text)}-${randomBytes(6).toString('hex')}`;
    await records.registerPayload({ key, workflowId, store: store.name, bytes, createdAt: clock.now() });
    await crash.reach('payload:registered');
    await store.put(key, text);
    await crash.reach('payload:stored');
    return { store: store.name, bytes, key };
  }

  /** Throws PayloadGone, or what the store says when it does not answer. */
  async load(ref: PayloadRef): Promise<JsonObject> {
    const known = this.residentValue(ref.key);
    if (known !== undefined) return known;
    const { primary, fallback } = this.parts.stores;
    const store = [primary, fallback].find(({ name }) => name === ref.store);
    if (store === undefined) {
      throw new PayloadGone(ref.key, {
        cause: new Error(`No payload store "${ref.store}" is configured; configure it again.`),
      });
    }
    const text = await store.get(ref.key);
    if (digestOfText(text) !== digestOfKey(ref.key)) {
      throw new PayloadGone(ref.key, { cause: new Error('What is stored there is something else.') });
    }
    const value = JSON.parse(text) as JsonObject;
    remember(value, placeholder(ref));
    this.keep(ref.key, value);
    return value;
  }

  /** Without waiting; `undefined` when it has to be fetched. */
  residentValue(key: string): JsonObject | undefined {
    const found = this.resident.get(key);
    if (found === undefined) return undefined;
    this.resident.delete(key);
    this.resident.set(key, found);
    return found.value;
  }

  private keep(key: string, value: JsonObject): void {
    const bytes = roughBytes(value);
    if (bytes > RESIDENT_BYTES || this.resident.has(key)) return;
    this.resident.set(key, { value, bytes });
    this.residentBytes += bytes;
    for (const [oldest, { bytes: size }] of this.resident) {
      if (this.residentBytes <= RESIDENT_BYTES) break;
      this.resident.delete(oldest);
      this.residentBytes -= size;
    }
  }

  /** A value that came from a row, whole. */
  async value(value: JsonObject): Promise<JsonObject> {
    const ref = refOf(value);
    return ref === undefined ? value : await this.load(ref);
  }

  /** Holds a value that came from a row while `use` runs; one at a time, so that no crowd of them is in memory. */
  alone<T>(value: JsonObject, use: (whole: JsonObject) => Promise<T>): Promise<T> {
    const ref = refOf(value);
    if (ref === undefined) return use(value);
    const turn = this.turn.then(async () => use(await this.load(ref)));
    this.turn = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  /**
   * Removes the values that nobody can refer to any more: of removed workflows, and those that no commit used since
   * `writtenBefore`. The record goes last, so that a removal that was cut short is taken up again.
   */
  async sweep(writtenBefore: number, signal?: AbortSignal): Promise<number> {
    const { records, stores, crash, log } = this.parts;
    let swept = 0;
    for (let round = 0; round < MAX_SWEEPS; round++) {
      if (signal?.aborted === true) break;
      const unused = await records.takeUnusedPayloads(writtenBefore, VALUES_PER_SWEEP);
      for (const store of new Set([stores.primary, stores.fallback])) {
        const keys = unused.filter((one) => one.store === store.name).map(({ key }) => key);
        if (keys.length === 0) continue;
        await store.remove(keys);
        await crash.reach('payload:removed');
        await records.forgetPayloads(keys);
        swept += keys.length;
      }
      const others = unused.filter(
        ({ store }) => store !== stores.primary.name && store !== stores.fallback.name,
      );
      if (others.length > 0)
        log.warn({ store: others[0]?.store }, 'unused values are in a store that is not configured');
      if (unused.length < VALUES_PER_SWEEP || others.length > 0) break;
    }
    return swept;
  }

  /** The task as its worker gets it. */
  async task(task: Task): Promise<Task> {
    if (refOf(task.inputData) === undefined && refOf(task.outputData) === undefined) return task;
    return {
      ...task,
      inputData: await this.value(task.inputData),
      outputData: await this.value(task.outputData),
    };
  }
}
