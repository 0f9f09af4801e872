import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PROBE_PREFIX, probeKey } from '../../src/intake/probes/probe-key.js';
import { insertProbe, markFinished, markPut, readProbe } from '../../src/intake/probes/probe-rows.js';
import { awsMessage, intakeParts, type IntakeParts } from './intake-parts.js';

const SOURCE = { kind: 'webhook' } as const;
const MINUTE = 60_000;

let parts: IntakeParts;
beforeAll(async () => {
  parts = await intakeParts();
});

describe("the event of the doctor's probe", () => {
  let id: string;
  let versions: number;
  beforeEach(async () => {
    id = randomUUID();
    versions = 0;
    await insertProbe(parts.database, {
      id,
      endpointId: 'embedded',
      bucket: 'uploads',
      at: parts.clock.now(),
    });
  });

  const told = (facts: {
    key?: string;
    eTag?: string;
    bucket?: string;
    versionId?: string;
    eventName?: string;
  }) => {
    versions += 1;
    const message = awsMessage({
      key: probeKey(id),
      versionId: `${id}-${versions}`,
      eTag: 'e',
      size: 3,
      ...facts,
    });
    return parts.intake.accept(message, SOURCE);
  };
  const ledgerRows = async () => {
    const rows = await parts.database.query<{ key: string }>(
      `SELECT key FROM object_version WHERE key = $1`,
      [probeKey(id)],
    );
    return rows.length;
  };

  it('is noted with the way that it came, and is no upload', async () => {
    expect(await told({})).toMatchObject({ accepted: 0, ignored: 1 });
    expect(await readProbe(parts.database, id)).toMatchObject({
      arrivedAt: Math.round(parts.clock.now()),
      sourceKind: 'webhook',
    });
    expect(await ledgerRows()).toBe(0);
  });

  it('may be delivered twice, and its removal is no news either', async () => {
    await told({});
    const first = await readProbe(parts.database, id);
    parts.clock.advance(1000);
    await told({});
    expect(await told({ eventName: 'ObjectRemoved:Delete' })).toMatchObject({ ignored: 1 });
    expect((await readProbe(parts.database, id))?.arrivedAt).toBe(first?.arrivedAt);
    expect(await ledgerRows()).toBe(0);
  });

  it('that comes late is still told by its bytes or its version, after the probe is done', async () => {
    await markPut(parts.database, id, { eTag: 'its own', versionId: 'v-own' });
    await markFinished(parts.database, id, parts.clock.now());
    expect(await told({ eTag: 'its own' })).toMatchObject({ ignored: 1 });
    expect(await told({ eTag: 'x', versionId: 'v-own' })).toMatchObject({ ignored: 1 });
    expect(await ledgerRows()).toBe(0);
  });

  it('does not hide an upload of others at its key, once the probe is done', async () => {
    await markPut(parts.database, id, { eTag: 'its own', versionId: 'v-own' });
    await markFinished(parts.database, id, parts.clock.now());
    expect(await told({ eTag: 'malware' })).toMatchObject({ accepted: 1, ignored: 0 });
    expect(await ledgerRows()).toBe(1);
  });

  it('does not hide one after a quarter of an hour, when the doctor ended before it was done', async () => {
    parts.clock.advance(16 * MINUTE);
    expect(await told({ eTag: 'malware' })).toMatchObject({ accepted: 1 });
  });

  it('counts in its own bucket alone', async () => {
    expect(await told({ bucket: 'plain' })).toMatchObject({ accepted: 1 });
    expect((await readProbe(parts.database, id))?.arrivedAt).toBeUndefined();
  });

  it('is an upload like any where no probe is known by that key', async () => {
    for (const name of [randomUUID(), 'x', `${id}/more`, id.toUpperCase()]) {
      const accepted = await told({ key: `${PROBE_PREFIX}${name}` });
      expect(accepted).toMatchObject({ accepted: 1, ignored: 0 });
    }
  });
});
