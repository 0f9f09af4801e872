import type { Queryable } from '../../database/queryable.js';
import type { SignedCheckpoint } from '../chain/checkpoint.js';
import { genesisOf, type AuditRecord } from '../chain/record.js';
import { commitmentsIn, type Opening } from '../personal/commitment.js';
import { chainState } from '../sql/chain.js';
import { factsOf } from '../sql/personal.js';
import { checkpointsAfter, linksAfter, type CheckpointRow } from '../sql/verification.js';

/** Which part of the chain; both ends belong to it. */
export interface ExtractRange {
  readonly from: number;
  readonly to: number;
}

const PAGE = 1000;
// A year of checkpoints each hour has 8,784.
const MOST_CHECKPOINTS = 100_000;

/**
 * The lines of an extract that `verify.mjs` understands: the beginning with the hash before it, each event, the signed
 * checkpoints within, and the end. What was tampered with is extracted as it is: who verifies finds it.
 *
 * @param publicKeyOf of a key that signed, base64; `undefined` for one that is not known.
 */
export async function* extractLines(
  db: Queryable,
  { from, to }: ExtractRange,
  publicKeyOf: (keyId: string) => string | undefined,
): AsyncGenerator<string> {
  const { chainId: chain } = await chainState(db);
  const [before] = from === 1 ? [] : await linksAfter(db, from - 2, 1);
  yield lineOf({ kind: 'extract', chain, from, before: (before?.hash ?? genesisOf(chain)).toString('hex') });
  const checkpoints = await checkpointsAfter(db, from - 1, MOST_CHECKPOINTS);
  let seq = from - 1;
  let head = before?.hash ?? genesisOf(chain);
  while (seq < to) {
    const links = await linksAfter(db, seq, Math.min(PAGE, to - seq));
    if (links.length === 0) break;
    const commitments = links.flatMap(({ record }) => [...commitmentsOf(record).values()]);
    const openings = await factsOf(db, commitments);
    for (const { hash, record, seq: place } of links) {
      if (record !== undefined) {
        const personal = standing(commitmentsOf(record), openings);
        yield lineOf({ kind: 'event', ...record, hash: hash.toString('hex'), seq: place, ...personal });
      }
      seq = place;
      head = hash;
      while (checkpoints[0] !== undefined && checkpoints[0].seq <= seq)
        yield checkpointLine(chain, checkpoints.shift() as CheckpointRow, publicKeyOf);
    }
  }
  yield lineOf({ kind: 'end', to: seq, head: head.toString('hex') });
}

const commitmentsOf = (record: AuditRecord | undefined): ReadonlyMap<string, string> =>
  record === undefined ? new Map() : commitmentsIn(record.data);

/** What an event says of people, with the salt that shows it; what was erased is left out. */
function standing(
  commitments: ReadonlyMap<string, string>,
  openings: ReadonlyMap<string, Opening>,
): { readonly personal?: Readonly<Record<string, Opening>> } {
  const found = [...commitments].flatMap(([field, commitment]) => {
    const opening = openings.get(commitment);
    return opening === undefined ? [] : [[field, { salt: opening.salt, value: opening.value }] as const];
  });
  return found.length === 0 ? {} : { personal: Object.fromEntries(found) };
}

const lineOf = (value: Readonly<Record<string, unknown>>): string => `${JSON.stringify(value)}\n`;

function checkpointLine(
  chain: string,
  { seq, head, at, keyId, signature }: CheckpointRow,
  publicKeyOf: (keyId: string) => string | undefined,
): string {
  const said: SignedCheckpoint = {
    chain,
    seq,
    head: head.toString('hex'),
    at: new Date(at).toISOString(),
    keyId,
    signature: signature.toString('base64'),
  };
  return lineOf({ kind: 'checkpoint', ...said, publicKey: publicKeyOf(keyId) ?? '' });
}
