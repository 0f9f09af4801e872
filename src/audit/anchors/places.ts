import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config.js';
import type { OutboxMessage } from '../../outbound/outbox.js';
import { CONFIGURED_ENDPOINT, EMBEDDED_ENDPOINT } from '../../s3/buckets.js';
import type { SignedCheckpoint } from '../chain/checkpoint.js';

/** Keeps a checkpoint outside of this database. */
export const AUDIT_ANCHOR = 'audit.anchor';

const DAY_MS = 86_400_000;

/** Where checkpoints are kept besides this database: every one in a bucket, and one a day in mailboxes. */
@Injectable()
export class AuditPlaces {
  constructor(
    @Inject(CONFIG)
    private readonly config: Pick<Config, 'AUDIT_BUCKET' | 'AUDIT_TO' | 'REPORT_TO' | 'embeddedS3'>,
  ) {}

  /** Without any, whoever owns the database and the key can write another history. */
  get isAnywhere(): boolean {
    return this.config.AUDIT_BUCKET !== undefined || this.recipients.length > 0;
  }

  private get recipients(): readonly string[] {
    const { AUDIT_TO, REPORT_TO } = this.config;
    return AUDIT_TO.length > 0 ? AUDIT_TO : REPORT_TO;
  }

  /** @param life names what goes on after a restore: its checkpoints must not cover those of the life before. */
  messages(
    checkpoint: SignedCheckpoint,
    publicKey: string,
    now: number,
    life?: string,
  ): readonly OutboxMessage[] {
    const payload = { checkpoint, publicKey, ...(life === undefined ? {} : { life }) };
    const { AUDIT_BUCKET: bucket, embeddedS3 } = this.config;
    const endpointId = embeddedS3 ? EMBEDDED_ENDPOINT : CONFIGURED_ENDPOINT;
    const to = this.recipients;
    return [
      ...(bucket === undefined
        ? []
        : [
            {
              kind: AUDIT_ANCHOR,
              key: `bucket:${checkpoint.seq}`,
              payload: { ...payload, endpointId, bucket },
            },
          ]),
      // The first of a day: an hourly mail is read by nobody.
      ...(to.length === 0
        ? []
        : [{ kind: AUDIT_ANCHOR, key: `mail:${Math.floor(now / DAY_MS)}`, payload: { ...payload, to } }]),
    ];
  }
}
