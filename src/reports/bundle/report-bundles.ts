import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { extractLines } from '../../audit/export/extract.js';
import { verifierText } from '../../audit/export/verifier.js';
import { AuditCheckpoints } from '../../audit/chain/checkpoints.js';
import { genesisOf } from '../../audit/chain/record.js';
import { chainHead, chainState } from '../../audit/sql/chain.js';
import type { Queryable } from '../../database/queryable.js';
import { ReportData } from '../data/report-data.js';
import { filesOf, readFile, writeFile } from '../report-files.js';
import type { ReportSummary } from '../report-rows.js';
import { readmeOf } from './readme.js';
import { writeBundle, type BundleEntry, type BundleFacts } from './bundle.js';

const BUNDLE = 'bundle.zip';

/** Puts everything that belongs to a report into one signed archive, and stores that with it. */
@Injectable()
export class ReportBundles {
  constructor(private readonly checkpoints: AuditCheckpoints) {}

  /** @returns the SHA-256 of the manifest that is signed. */
  async write(
    tx: Queryable,
    summary: ReportSummary,
    data: ReportData,
  ): Promise<{ readonly manifestSha256: string }> {
    const chain = await chainOf(tx, data);
    const { keyId, publicKey } = this.checkpoints.current;
    const bundle = writeBundle(await this.entries(tx, summary, data, chain), factsOf(summary, data, chain), {
      keyId,
      publicKey,
      sign: (bytes) => this.checkpoints.signatureOf(bytes),
    });
    let manifest: Buffer = Buffer.alloc(0);
    // The generator says at its end what `for await` would not hear.
    const pieces = (async function* () {
      ({ manifest } = yield* bundle);
    })();
    await writeFile(tx, summary.id, { name: BUNDLE, mediaType: 'application/zip' }, pieces);
    return { manifestSha256: createHash('sha256').update(manifest).digest('hex') };
  }

  private async entries(
    tx: Queryable,
    { id }: ReportSummary,
    data: ReportData,
    chain: BundleFacts['chain'],
  ): Promise<BundleEntry[]> {
    const stored = (await filesOf(tx, id)).filter(({ name }) => name !== BUNDLE);
    const text = (name: string, content: string): BundleEntry => ({ name, pieces: () => [content] });
    return [
      text('README.txt', readmeOf(data)),
      ...stored.map(({ name }) => ({ name, pieces: () => readFile(tx, id, name) })),
      text('report.schema.json', `${JSON.stringify(z.toJSONSchema(ReportData), null, 2)}\n`),
      text('controls.json', `${JSON.stringify(data.mapping, null, 2)}\n`),
      {
        name: 'audit.jsonl',
        pieces: () => extractLines(tx, chain, (keyId) => this.checkpoints.publicKeyText(keyId)),
      },
      text('verify.mjs', verifierText()),
    ];
  }
}

/** The part of the record that holds the period's events; none of it where it has none. */
async function chainOf(tx: Queryable, { health }: ReportData): Promise<BundleFacts['chain']> {
  const { chainId: id } = await chainState(tx);
  const { from, to, head } = health.chain;
  if (from !== null && to !== null && head !== null) return { id, from, to, head };
  const last = await chainHead(tx);
  return {
    id,
    from: (last?.seq ?? 0) + 1,
    to: last?.seq ?? 0,
    head: (last?.hash ?? genesisOf(id)).toString('hex'),
  };
}

const factsOf = (
  summary: ReportSummary,
  { period, software, previous }: ReportData,
  chain: BundleFacts['chain'],
): BundleFacts => ({
  reportId: summary.id,
  label: period.label,
  period: { from: period.from, to: period.to, timeZone: period.timeZone },
  generatedAt: summary.snapshotAt ?? summary.createdAt,
  by: summary.requestedBy,
  software,
  chain,
  previous:
    previous === null || previous.sha256 === null
      ? null
      : { reportId: previous.reportId, sha256: previous.sha256 },
});
