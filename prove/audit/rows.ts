import type { Verification } from '../../src/audit/chain/verify.js';
import type { Copy } from './copy.js';
import type { Made } from './record.js';

/** What was changed, how often, and what a verification did not find or named at another place. */
export interface Damage {
  readonly tried: number;
  readonly missed: readonly string[];
}

interface Change {
  readonly what: string;
  readonly statements: readonly (readonly [string, readonly unknown[]])[];
  /** Where the first bad place is; of a checkpoint that moved there are two that it may be called. */
  readonly seqs: readonly number[];
}

const EVENT_OF = '(SELECT event_id FROM audit_link WHERE seq = $1)';
const TEXTS = ['actor', 'action', 'subject', 'data'] as const;

/** Changes one thing at a time, everywhere in turn, and looks whether the verification names its place. */
export async function damageRows(
  copy: Copy,
  made: Made,
  count: number,
  random: () => number,
): Promise<Damage> {
  const missed: string[] = [];
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let n = 0; n < count; n += 1) {
    const make = KINDS[n % KINDS.length];
    if (make === undefined) throw new Error('there is no such change');
    const change = await make(copy, made, below);
    const { isWhole, bad } = await copy.changed(change.statements);
    if (isWhole || bad?.seq === undefined || !change.seqs.includes(bad.seq))
      missed.push(`${change.what}, expected at ${change.seqs.join(' or ')}: ${said(isWhole, bad)}`);
  }
  return { tried: count, missed };
}

const said = (isWhole: boolean, bad: Verification['bad']): string =>
  isWhole ? 'whole' : JSON.stringify(bad);

type Kind = (copy: Copy, made: Made, below: (limit: number) => number) => Promise<Change>;

const KINDS: readonly Kind[] = [
  async (copy, made, below) => {
    const seq = 1 + below(made.events);
    const column = TEXTS[below(TEXTS.length)] ?? 'actor';
    const { text } = await copy.one<{ text: string }>(
      `SELECT ${column}::text AS text FROM audit_event WHERE id = ${EVENT_OF}`,
      [seq],
    );
    const changed = column === 'data' ? flippedJson(text, below) : flipped(text, below);
    return {
      what: `a byte of ${column}`,
      statements: [[`UPDATE audit_event SET ${column} = $2 WHERE id = ${EVENT_OF}`, [seq, changed]]],
      seqs: [seq],
    };
  },
  async (_, made, below) => {
    const seq = 1 + below(made.events);
    const text = `UPDATE audit_event SET at = at # (1::bigint << $2::int) WHERE id = ${EVENT_OF}`;
    return { what: 'a bit of the moment', statements: [[text, [seq, below(40)]]], seqs: [seq] };
  },
  async (_, made, below) => {
    const seq = 1 + below(made.events);
    const text = 'UPDATE audit_link SET hash = set_byte(hash, $2, get_byte(hash, $2) # $3) WHERE seq = $1';
    return { what: 'a byte of a hash', statements: [[text, [seq, below(32), 1 + below(255)]]], seqs: [seq] };
  },
  async (_, made, below) => {
    const seq = 1 + below(made.events);
    const text = 'UPDATE audit_link SET event_id = event_id # (1::bigint << 40) WHERE seq = $1';
    return { what: 'a bit of the event that a place names', statements: [[text, [seq]]], seqs: [seq] };
  },
  async (_, made, below) => {
    const seq = 1 + below(made.events);
    const text = 'UPDATE audit_link SET seq = seq # (1::bigint << 40) WHERE seq = $1';
    // A place beyond all others leaves a gap where it stood.
    return { what: 'a bit of a place', statements: [[text, [seq]]], seqs: [seq] };
  },
  async (_, made, below) => {
    const seq = 1 + below(made.events);
    const text = `DELETE FROM audit_event WHERE id = ${EVENT_OF}`;
    return { what: 'an event that is left out', statements: [[text, [seq]]], seqs: [seq] };
  },
  async (_, made, below) => {
    const seq = 1 + below(made.events - 1);
    const swap = `UPDATE audit_link a SET event_id = -(SELECT b.event_id FROM audit_link b WHERE b.seq = $1 + $2 - a.seq)
       WHERE a.seq IN ($1, $2)`;
    const other = seq + 1 + below(made.events - seq);
    const back = 'UPDATE audit_link SET event_id = -event_id WHERE seq IN ($1, $2)';
    const places = [seq, other];
    return {
      what: 'two events that change places',
      statements: [
        [swap, places],
        [back, places],
      ],
      seqs: [seq],
    };
  },
  async (copy, made, below) => {
    const last = 1 + below(made.events - 1);
    const statements = [['DELETE FROM audit_link WHERE seq > $1', [last]]] as const;
    const { seq } = await copy.one<{ seq: number }>('SELECT max(seq)::int AS seq FROM audit_checkpoint');
    // What no checkpoint knows of could be gone unseen, were its events not there.
    return { what: 'the end that is cut off', statements, seqs: last < seq ? [last + 1] : [] };
  },
  async (copy, _, below) => {
    const { seq } = await aCheckpoint(copy, below);
    const column = ['head', 'signature'][below(2)] ?? 'head';
    const text = `UPDATE audit_checkpoint SET ${column} = set_byte(${column}, $2, get_byte(${column}, $2) # $3) WHERE seq = $1`;
    return {
      what: `a byte of a checkpoint’s ${column}`,
      statements: [[text, [seq, below(32), 1 + below(255)]]],
      seqs: [seq],
    };
  },
  async (copy, made, below) => {
    const { seq, key } = await aCheckpoint(copy, below);
    const changes = [
      ['UPDATE audit_checkpoint SET at = at # (1::bigint << $2::int) WHERE seq = $1', below(40)],
      ['UPDATE audit_checkpoint SET key_id = $2 WHERE seq = $1', flipped(key, below)],
    ] as const;
    const [text, value] = changes[below(2)] ?? changes[0];
    return {
      what: 'a byte of a checkpoint',
      statements: [[text, [seq, value]]],
      seqs: [seq, made.events + 1],
    };
  },
  async (copy, _, below) => {
    const { seq, commitment } = await aFact(copy, below);
    const column = ['salt', 'commitment'][below(2)] ?? 'salt';
    const text = `UPDATE audit_personal SET ${column} = set_byte(${column}, $2, get_byte(${column}, $2) # $3)
       WHERE commitment = $1`;
    return {
      what: `a byte of a fact’s ${column}`,
      statements: [[text, [commitment, below(16), 1 + below(255)]]],
      seqs: [seq],
    };
  },
  async (copy, _, below) => {
    const { seq, commitment, value, person } = await aFact(copy, below);
    const changes = [
      ['value', flippedJson(value, below)],
      ['person', flipped(person, below)],
    ] as const;
    const [column, changed] = changes[below(2)] ?? changes[0];
    const text = `UPDATE audit_personal SET ${column} = $2 WHERE commitment = $1`;
    return { what: `a byte of a fact’s ${column}`, statements: [[text, [commitment, changed]]], seqs: [seq] };
  },
  async (copy, _, below) => {
    const { seq, commitment } = await aFact(copy, below);
    const text = 'DELETE FROM audit_personal WHERE commitment = $1';
    return { what: 'a fact that is taken away', statements: [[text, [commitment]]], seqs: [seq] };
  },
];

const aCheckpoint = (copy: Copy, below: (limit: number) => number) =>
  copy.one<{ seq: number; key: string }>(
    `SELECT seq::int AS seq, key_id AS key FROM audit_checkpoint
      OFFSET floor($1::float8 * (SELECT count(*) FROM audit_checkpoint)) LIMIT 1`,
    [below(1000) / 1000],
  );

/** The fact, and the place of the event that it stands beside. */
const aFact = (copy: Copy, below: (limit: number) => number) =>
  copy.one<{ seq: number; commitment: Buffer; value: string; person: string }>(
    `SELECT l.seq::int AS seq, p.commitment, p.value, p.person
       FROM (SELECT * FROM audit_personal
             OFFSET floor($1::float8 * (SELECT count(*) FROM audit_personal)) LIMIT 1) p
       JOIN audit_event e ON e.action = 'review.decided'
        AND e.data -> 'personal' ->> 'reason' = encode(p.commitment, 'hex')
       JOIN audit_link l ON l.event_id = e.id`,
    [below(1000) / 1000],
  );

/** Another byte at some place; PostgreSQL takes no NUL and nothing that is no UTF-8. */
function flipped(text: string, below: (limit: number) => number): string {
  const bytes = Buffer.from(text);
  const plain = [...bytes.keys()].filter((at) => (bytes[at] ?? 0) < 0x80);
  const at = plain[below(plain.length)] ?? 0;
  const other = (bytes[at] ?? 0) ^ (1 << below(7));
  bytes[at] = other === 0 ? 0x3f : other;
  return bytes.toString();
}

/** The same where the column takes JSON only: what would be none any more is another digit or letter instead. */
function flippedJson(text: string, below: (limit: number) => number): string {
  for (;;) {
    const changed = flipped(text, below);
    try {
      JSON.parse(changed);
      return changed;
    } catch {
      // Drawn again.
    }
  }
}
