import { randomBytes } from 'node:crypto';
import type { Clock } from '../../clock.js';
import { Conflict, InvalidInput, NotFound } from '../../errors.js';
import type { ExecutionStore, PayloadLocation, PayloadType } from '../execution-store.js';
import type { Actor } from '../model/command.js';
import type { JsonObject } from '../model/json.js';
import type { PayloadLimits } from '../model/payload-limits.js';
import type { PayloadVault } from './payload-vault.js';
import { parseRef, refText } from './placeholder.js';

// Long enough for a client to store its value and to try its start for a while; well under the day after which values
// that nothing refers to are removed.
const VALID_MS = 3_600_000;
const TOKEN = /^[0-9a-f]{48}$/;

interface Parts {
  readonly vault: PayloadVault;
  readonly store: Pick<
    ExecutionStore,
    | 'issuePayloadLocation'
    | 'payloadLocation'
    | 'takePayloadLocation'
    | 'settlePayloadLocation'
    | 'usedPayload'
  >;
  readonly clock: Clock;
  readonly limits: PayloadLimits;
}

/** What a client is told: where to put or get the value, and the path that it names it by afterwards. */
export interface Issued {
  readonly token: string;
  readonly path: string;
}

/**
 * Places where clients write values before they refer to them, and read those that an answer had no room for.
 *
 * A place is issued by this service, unguessable, for one principal and one purpose, and valid for an hour. Whoever has
 * it needs no login, as with a presigned URL: Conductor's SDKs send none. What was written counts only when the principal
 * refers to it that it was issued to; it is an unused value until then, and becomes the workflow's by being copied.
 */
export class PayloadLocations {
  constructor(private readonly parts: Parts) {}

  /** A new place for a value of the client's own. */
  async toWrite(payloadType: PayloadType, actor: Actor): Promise<Issued> {
    if (payloadType !== 'WORKFLOW_INPUT' && payloadType !== 'TASK_OUTPUT') {
      throw InvalidInput.field(
        'payloadType',
        `${payloadType} is written by the service itself; clients write WORKFLOW_INPUT and TASK_OUTPUT`,
      );
    }
    const token = await this.issue('WRITE', payloadType, actor, undefined);
    return { token, path: token };
  }

  /** Where to read a value that a row refers to, or one that this client wrote. */
  async toRead(path: string, payloadType: PayloadType, actor: Actor): Promise<Issued> {
    const ref = (await this.written(path, actor))?.ref ?? (await this.parts.store.usedPayload(path));
    if (ref === undefined) {
      throw new NotFound(`path: there is no payload ${path}. Take it from the execution that refers to it.`);
    }
    return { token: await this.issue('READ', payloadType, actor, ref), path };
  }

  private async issue(
    operation: PayloadLocation['operation'],
    payloadType: PayloadType,
    actor: Actor,
    ref: string | undefined,
  ): Promise<string> {
    const { store, clock } = this.parts;
    const token = randomBytes(24).toString('hex');
    const expiresAt = Math.round(clock.now()) + VALID_MS;
    await store.issuePayloadLocation({
      token,
      operation,
      payloadType,
      issuedTo: nameOf(actor),
      expiresAt,
      ref,
    });
    return token;
  }

  /** The upload of this actor's that a path names. */
  private async written(path: string, actor: Actor): Promise<PayloadLocation | undefined> {
    const location = await this.valid(path, 'WRITE');
    return location?.issuedTo === nameOf(actor) ? location : undefined;
  }

  private async valid(
    token: string,
    operation: PayloadLocation['operation'],
  ): Promise<PayloadLocation | undefined> {
    if (!TOKEN.test(token)) return undefined;
    const location = await this.parts.store.payloadLocation(token);
    const isValid = location?.operation === operation && location.expiresAt > this.parts.clock.now();
    return isValid ? location : undefined;
  }

  /** How many bytes may be written there. @throws NotFound */
  async roomAt(token: string): Promise<number> {
    const location = await this.valid(token, 'WRITE');
    if (location === undefined) throw unknownPlace();
    const { limits } = this.parts;
    return location.payloadType === 'WORKFLOW_INPUT' ? limits.workflowMax : limits.taskMax;
  }

  /** Durable when it resolves; once. */
  async write(token: string, value: JsonObject): Promise<void> {
    const { store, clock, vault } = this.parts;
    if (!(await store.takePayloadLocation(token, Math.round(clock.now())))) {
      throw new Conflict('path: this place was written before, or its time is up. Ask for a new one.');
    }
    try {
      await store.settlePayloadLocation(token, refText(await vault.save(token, value)));
    } catch (error) {
      // Should this fail too, the place stays taken, and the client asks for another.
      await store.settlePayloadLocation(token, undefined).catch(() => undefined);
      throw error;
    }
  }

  /** @throws NotFound, PayloadGone. */
  async read(token: string): Promise<JsonObject> {
    const location = await this.valid(token, 'READ');
    if (location?.ref === undefined) throw unknownPlace();
    return await this.parts.vault.load(parseRef(location.ref));
  }

  /** The value that a request refers to in `field`. @throws InvalidInput, PayloadGone. */
  async uploaded(path: string, payloadType: PayloadType, actor: Actor, field: string): Promise<JsonObject> {
    const location = await this.written(path, actor);
    if (location === undefined || location.payloadType !== payloadType) {
      throw InvalidInput.field(
        field,
        `was not issued to you for a ${payloadType}, or its hour is over; ask externalstoragelocation for one and write there`,
      );
    }
    if (location.ref === undefined) {
      throw InvalidInput.field(field, 'nothing was written there yet; put the value to its uri first');
    }
    return await this.parts.vault.load(parseRef(location.ref));
  }
}

const nameOf = ({ kind, id }: Actor): string => `${kind}:${id}`;

const unknownPlace = (): NotFound =>
  new NotFound(
    'path: there is no such place, or its hour is over. Ask externalstoragelocation for a new one.',
  );
