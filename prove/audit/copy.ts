import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { verifyChain, type Verification } from '../../src/audit/chain/verify.js';
import { extractLines } from '../../src/audit/export/extract.js';
import type { Queryable } from '../../src/database/queryable.js';
import { ExtractFile } from './file.js';
import type { Made } from './record.js';

/** The record as its owner sees it, who may do anything to it: each change is taken back after it was looked at. */
export class Copy {
  private readonly queryable: Queryable;

  private constructor(
    private readonly owner: pg.Client,
    private readonly made: Made,
  ) {
    this.queryable = { query: async (text, values) => (await owner.query(text, [...(values ?? [])])).rows };
  }

  static async of(adminUrl: string, made: Made): Promise<Copy> {
    const owner = new pg.Client(adminUrl);
    await owner.connect();
    return new Copy(owner, made);
  }

  close(): Promise<void> {
    return this.owner.end();
  }

  async one<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row> {
    const [row] = (await this.owner.query<Row>(text, [...values])).rows;
    if (row === undefined) throw new Error(`no row: ${text}`);
    return row;
  }

  verify(): Promise<Verification> {
    return verifyChain(this.queryable, (id) => this.made.keys.publicKey(id));
  }

  /** What verifying says after a change that nothing in the database keeps its owner from. */
  async changed(
    statements: readonly (readonly [text: string, values: readonly unknown[]])[],
  ): Promise<Verification> {
    await this.owner.query('BEGIN; SET LOCAL session_replication_role = replica');
    try {
      for (const [text, values] of statements) {
        const { rowCount } = await this.owner.query(text, [...values]);
        if (rowCount === 0) throw new Error(`changed nothing: ${text}`);
      }
      return await this.verify();
    } finally {
      await this.owner.query('ROLLBACK');
    }
  }

  async extract(folder: string): Promise<ExtractFile> {
    const path = join(folder, 'audit.jsonl');
    const began = performance.now();
    const lines = extractLines(this.queryable, { from: 1, to: this.made.events }, (id) =>
      this.made.keys.publicKeyText(id),
    );
    await pipeline(Readable.from(lines), createWriteStream(path));
    return new ExtractFile(path, folder, (performance.now() - began) / 1000);
  }
}
