import { existsSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Slice } from './blobs.js';
import { errorCode } from './error-code.js';
import { readLine, splitLines } from './journal-line.js';
import type { Change } from './model.js';

/** A piece of one of the store's files; the pieces of a file come one after another. */
export interface StorePiece {
  readonly file: string;
  readonly bytes: Buffer;
}

const JOURNAL = 'journal';
const PIECE_BYTES = 16 * 1024 * 1024;
// Each further one means that objects went while they were copied.
const MAX_TRIES = 20;

/**
 * Everything that a store holds at a moment, while it goes on: its journal up to then, and the blobs that this names. The
 * folder of a store that never was gives nothing.
 *
 * @throws Error when objects go faster than they can be copied.
 */
export async function* copyStore(directory: string): AsyncGenerator<StorePiece> {
  const copied = new Set<string>();
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const moment = await momentOf(directory);
    if (moment === undefined) return;
    let isWhole = true;
    for (const blob of await liveBlobs(moment)) {
      if (copied.has(blob)) continue;
      const pieces = piecesOf(join(directory, 'blobs', blob), `blobs/${blob}`);
      const first = await pieces.next().catch(asGone);
      if (first === 'gone') {
        // What it belonged to was removed since: a later journal says so.
        isWhole = false;
        break;
      }
      copied.add(blob);
      if (first.done !== true) yield first.value;
      yield* pieces;
    }
    if (isWhole) {
      yield* moment.pieces();
      // Who it is; the service gives it this name, a store alone has none.
      const name = join(directory, 'store-id');
      if (existsSync(name)) yield* piecesOf(name, 'store-id');
      return;
    }
  }
  throw new Error(
    `The objects in ${directory} change faster than they can be copied. Try again when less goes on.`,
  );
}

interface Moment {
  readonly bytes: () => AsyncIterable<Buffer>;
  readonly pieces: () => AsyncGenerator<StorePiece>;
}

/** The journal as it is now, in memory as the store has its index there; a compaction meanwhile leaves the old file to whoever has it open. */
async function momentOf(directory: string): Promise<Moment | undefined> {
  const path = join(directory, JOURNAL);
  const file = await open(path, 'r').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    // A line that is being written was not acknowledged.
    let end = 0;
    for await (const line of splitLines(chunksOf(file, size), 0)) if (line.isWhole) end = line.end;
    const bytes: Buffer[] = [];
    for await (const chunk of chunksOf(file, end)) bytes.push(chunk);
    return {
      bytes: async function* () {
        yield* bytes;
      },
      pieces: async function* () {
        for (const chunk of bytes) yield { file: JOURNAL, bytes: chunk };
      },
    };
  } finally {
    await file.close();
  }
}

/** Names of the files that versions and open uploads are made of. */
async function liveBlobs({ bytes }: Moment): Promise<ReadonlySet<string>> {
  const slices = new Map<string, readonly Slice[]>();
  const parts = new Map<string, Map<number, readonly Slice[]>>();
  for await (const line of splitLines(bytes(), 0)) {
    const json = readLine(line.bytes);
    // A damaged one is copied as it is: who opens the store is told.
    if (json === undefined) continue;
    for (const change of JSON.parse(json) as readonly Change[]) {
      if (change.t === 'version')
        slices.set(nameOf(change.bucket, change.key, change.version.id), change.version.slices);
      else if (change.t === 'version-gone') slices.delete(nameOf(change.bucket, change.key, change.id));
      else if (change.t === 'upload') parts.set(change.upload.id, new Map());
      else if (change.t === 'part') parts.get(change.id)?.set(change.part.number, change.part.slices);
      else if (change.t === 'upload-gone') parts.delete(change.id);
    }
  }
  const all = [...slices.values(), ...[...parts.values()].flatMap((one) => [...one.values()])];
  return new Set(all.flatMap((some) => some.map(({ blob }) => blob)));
}

const nameOf = (bucket: string, key: string, id: string): string => JSON.stringify([bucket, key, id]);

async function* piecesOf(path: string, file: string): AsyncGenerator<StorePiece> {
  const handle = await open(path, 'r');
  try {
    for await (const bytes of chunksOf(handle, (await handle.stat()).size)) yield { file, bytes };
  } finally {
    await handle.close();
  }
}

async function* chunksOf(file: FileHandle, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size;) {
    const bytes = Buffer.alloc(Math.min(PIECE_BYTES, size - at));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, at);
    if (bytesRead === 0) return;
    yield bytes.subarray(0, bytesRead);
    at += bytesRead;
  }
}

function asGone(error: unknown): 'gone' {
  if (errorCode(error) === 'ENOENT') return 'gone';
  throw error;
}
