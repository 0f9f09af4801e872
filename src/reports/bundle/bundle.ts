import type { Packed, Pieces } from './zip-writer.js';
import { ZipWriter } from './zip-writer.js';

/** A file of a bundle; its pieces are asked for when its turn comes. */
export interface BundleEntry {
  readonly name: string;
  readonly pieces: () => Pieces;
}

/** What a manifest says beside its files. */
export interface BundleFacts {
  readonly reportId: string;
  readonly label: string;
  /** [from, to), ISO 8601 in UTC. */
  readonly period: { readonly from: string; readonly to: string; readonly timeZone: string };
  readonly generatedAt: string;
  /** Who asked for it, as the audit names them. */
  readonly by: string;
  readonly software: string;
  /** The part of the audit record in `audit.jsonl`: `to` is `from - 1` where that has no event. */
  readonly chain: { readonly id: string; readonly from: number; readonly to: number; readonly head: string };
  /** The report before: SHA-256 of its `report.json`. */
  readonly previous: { readonly reportId: string; readonly sha256: string } | null;
}

/** Whoever answers for a bundle. */
export interface BundleSigner {
  readonly keyId: string;
  /** Ed25519; base64. */
  readonly publicKey: string;
  /** @returns base64. */
  sign(bytes: Buffer): string;
}

/** What is signed, as its text. */
interface Manifest extends BundleFacts {
  readonly schema: 'sallyport.bundle/1';
  readonly files: readonly Packed[];
  /** The archive up to this manifest: whoever unpacks and packs again makes another archive of the same files. */
  readonly zip: { readonly bytes: number; readonly sha256: string };
  readonly key: { readonly id: string; readonly publicKey: string };
}

/**
 * A signed archive: the files in the order in which they are given, then `manifest.json`, which names each with its SHA-256,
 * then `manifest.sig`, the signature over the manifest's bytes. `verify.mjs` checks all of that with Node alone.
 *
 * @returns at its end the manifest's bytes.
 */
export async function* writeBundle(
  entries: Iterable<BundleEntry>,
  facts: BundleFacts,
  signer: BundleSigner,
): AsyncGenerator<Uint8Array, { readonly manifest: Buffer }> {
  const zip = new ZipWriter();
  const files: Packed[] = [];
  for (const { name, pieces } of entries) files.push(yield* zip.file(name, pieces()));
  // `schema` comes first: no text that the same key signs for another purpose begins like that.
  const manifest: Manifest = {
    schema: 'sallyport.bundle/1',
    reportId: facts.reportId,
    label: facts.label,
    period: facts.period,
    generatedAt: facts.generatedAt,
    by: facts.by,
    software: facts.software,
    files,
    zip: zip.soFar,
    chain: facts.chain,
    previous: facts.previous,
    key: { id: signer.keyId, publicKey: signer.publicKey },
  };
  const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  yield* zip.file('manifest.json', [text]);
  yield* zip.file('manifest.sig', [`${signer.sign(text)}\n`]);
  yield* zip.end();
  return { manifest: text };
}
