import pino from 'pino';
import type { Keyring } from '../../src/access/keyring.js';
import { AuditPlaces } from '../../src/audit/anchors/places.js';
import { appendAudit, type AuditEvent } from '../../src/audit/audit.js';
import { AuditCheckpoints } from '../../src/audit/chain/checkpoints.js';
import { AuditSequencer } from '../../src/audit/chain/sequencer.js';
import { Erasure } from '../../src/audit/personal/erasure.js';
import type { Database } from '../../src/database/database.js';
import { OutboxBell } from '../../src/outbound/outbox-bell.js';
import { PostgresOutbox } from '../../src/outbound/postgres-outbox.js';
import type { FakeClock } from '../../test/support/clock.js';
import type { Scratch } from '../scale/cluster.js';

/** A record as it was made. */
export interface Made {
  readonly events: number;
  readonly checkpoints: number;
  readonly personal: number;
  readonly erased: number;
  readonly keys: AuditCheckpoints;
}

interface Ground {
  readonly db: Database;
  readonly scratch: Scratch;
  readonly clock: FakeClock;
  readonly keyring: Keyring;
  readonly events: number;
}

// What people decided, with a reason that stands beside, among what the service did; and those who were erased since.
const DECIDED_OF = 50;
const PEOPLE = 20;
const ERASED = ['user:person-3', 'user:person-7'];

/** Verdicts by the statement that many of them come by, decisions as the service writes them, all chained and signed. */
export async function makeRecord({ db, scratch, clock, keyring, events }: Ground): Promise<Made> {
  const places = new AuditPlaces({ AUDIT_BUCKET: undefined, AUDIT_TO: [], REPORT_TO: [], embeddedS3: false });
  const checkpoints = new AuditCheckpoints(
    db,
    clock,
    keyring,
    new PostgresOutbox(clock, new OutboxBell()),
    places,
  );
  const sequencer = new AuditSequencer(pino({ level: 'silent' }), db, clock, checkpoints);
  const decided = Math.floor(events / DECIDED_OF);
  const parts = 10;
  for (let part = 0; part < parts; part += 1) {
    const now = clock.now();
    const verdicts = Math.floor((events - decided) / parts);
    await scratch.query(
      `INSERT INTO audit_event (at, actor, action, subject, data)
       SELECT $1::bigint + n, 'worker:record_verdict', 'object.verdict', 'object:' || gen_random_uuid(),
              json_build_object('verdict', 'clean', 'reason', 'nothing_found', 'generation', 1, 'scanId', gen_random_uuid(),
                'required', json_build_array('secrets', 'malware'), 'bytesScanned', n, 'bytesTotal', n,
                'sha256', md5(n::text) || md5('b' || n), 'engines', json_build_array('secrets 3', 'clamav 1.4.2'))
         FROM generate_series(1, $2::int) n`,
      [now, verdicts],
    );
    await appendAudit(
      db,
      Array.from({ length: Math.floor(decided / parts) }, (_, n) => decision(now + n, part * 1000 + n)),
    );
    while ((await sequencer.turn()) > 0) clock.advance(1000);
    // Signed each hour, too.
    clock.advance(3_600_000);
    await sequencer.turn();
  }
  const erasure = new Erasure(db, clock, []);
  let erased = 0;
  for (const person of ERASED) erased += await erasure.erase(person, 'asked for', 'user:admin');
  clock.advance(3_600_000);
  await sequencer.turn();
  const count = async (table: string): Promise<number> =>
    (await scratch.one<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`)).count;
  return {
    events: await count('audit_link'),
    checkpoints: await count('audit_checkpoint'),
    personal: await count('audit_personal'),
    erased,
    keys: checkpoints,
  };
}

const decision = (at: number, n: number): AuditEvent => ({
  at,
  actor: `user:person-${n % PEOPLE}`,
  action: 'review.decided',
  subject: `review:${n}`,
  data: { outcome: 'release', round: 1, reason: `Ünï ${n}: “it is mine” 🔒 日本語`, via: 'web' },
});
