import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll } from 'vitest';
import { Keyring } from '../../src/access/keyring.js';
import { AuditPlaces } from '../../src/audit/anchors/places.js';
import { appendAudit } from '../../src/audit/audit.js';
import { AuditCheckpoints } from '../../src/audit/chain/checkpoints.js';
import { AuditSequencer } from '../../src/audit/chain/sequencer.js';
import { verifyChain, type KnownHead, type Verification } from '../../src/audit/chain/verify.js';
import type { Database } from '../../src/database/database.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import { FakeClock } from '../support/clock.js';
import { FolderPlace } from '../../src/backup/folder-place.js';
import { makeBackup } from '../../src/backup/make-backup.js';
import type { Manifest } from '../../src/backup/manifest.js';
import { checkFiles, checkSignature, findManifest } from '../../src/backup/open-backup.js';
import { refuseNewer, restoreBackup, type Restored } from '../../src/backup/restore-backup.js';

/** Folders for backups of one test file, and the key of all its services. */
export class Backups {
  readonly masterKey = randomBytes(32);
  private readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-backups-'));
  private count = 0;

  constructor() {
    afterAll(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  newFolder(): string {
    this.count += 1;
    return join(this.folder, `b${this.count}`);
  }

  /** Of a database, in a new folder; small parts, so that there are many of them. */
  async make(
    url: string,
    partBytes = 2000,
    folder = this.newFolder(),
  ): Promise<{ folder: string; manifest: Manifest }> {
    const manifest = await makeBackup({
      url,
      masterKey: this.masterKey,
      place: new FolderPlace(folder),
      beside: () => Promise.resolve({ objects: null, secrets: null }),
      partBytes,
    });
    return { folder, manifest };
  }

  /** As the command does: everything is checked before anything is changed. */
  async restore(
    folder: string,
    url: string,
    options: {
      readonly discards?: boolean;
      readonly takesBroken?: boolean;
      readonly masterKey?: Buffer;
    } = {},
  ): Promise<Restored> {
    const place = new FolderPlace(folder);
    const masterKey = options.masterKey ?? this.masterKey;
    const manifest = await findManifest(place);
    checkSignature(manifest, masterKey, place);
    await refuseNewer(manifest, place);
    await checkFiles(place, manifest);
    return restoreBackup({
      url,
      adminUrl: url,
      masterKey,
      place,
      manifest,
      discardsExisting: options.discards === true,
      takesBrokenChain: options.takesBroken === true,
      beside: () => Promise.resolve(),
    });
  }
}

/** What of a service keeps the audit record of a database. */
export interface Life {
  readonly clock: FakeClock;
  readonly sequencer: AuditSequencer;
  record(count: number, actor?: string): Promise<void>;
  verify(known?: readonly KnownHead[]): Promise<Verification>;
}

export async function lifeOn(db: Database, masterKey: Buffer): Promise<Life> {
  const clock = new FakeClock(Date.now());
  const keyring = await Keyring.open(db, masterKey, clock);
  const places = new AuditPlaces({ AUDIT_BUCKET: 'anchors', AUDIT_TO: [], REPORT_TO: [], embeddedS3: false });
  const outbox = new PostgresOutbox(clock, new OutboxBell());
  const checkpoints = new AuditCheckpoints(db, clock, keyring, outbox, places);
  return {
    clock,
    sequencer: new AuditSequencer(pino({ level: 'silent' }), db, clock, checkpoints),
    record: (count, actor = 'user:alice') =>
      appendAudit(
        db,
        Array.from({ length: count }, (_, n) => ({
          at: clock.now(),
          actor,
          action: 'review.decided',
          subject: `review:${n}`,
          data: { n, text: '🚪 \\ "\t\n', big: 2 ** 53 },
        })),
      ),
    verify: (known = []) => verifyChain(db, (id) => checkpoints.publicKey(id), known),
  };
}
