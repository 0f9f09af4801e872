import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { simulate } from '../../prove/quarter/simulate.js';
import { testDatabase } from '../support/database.js';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-quarter-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('four weeks with a change of the clock, an outage and a week of nothing', () => {
  it('have four reports that add up, join, restate what came late, and agree with a recount of the rows', async () => {
    const { url } = await testDatabase();
    const { figures, problems } = await simulate(
      { size: 'small', seed: 20261025 },
      { url, home: join(folder, 'home') },
      folder,
    );
    expect(problems).toEqual([]);
    expect(figures).toMatchObject({ reports: 4, bundlesVerified: 4, forgeriesRefused: 4 });
    // What came late was there to be restated.
    expect(figures['restatements']).toBeGreaterThan(0);
  }, 600_000);
});
