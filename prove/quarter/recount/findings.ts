import { count, groupBy, type Tables, type Week } from './tables.js';

interface Life {
  isOpen: boolean;
  wasKnown: boolean;
}

/**
 * Follows each finding from the verdict that told of it to what closed it: a person's decision on the object, an exception,
 * a later scan that found it no more, or the end of the object. What lies in quarantine has not ended.
 */
export function recountFindings(tables: Tables, week: Week) {
  const balance = { opening: 0, new: 0, reopened: 0, closed: 0, closing: 0 };
  const closedBy: Record<string, number> = { decided: 0, excepted: 0, rescanned: 0, gone: 0 };
  const open: Record<string, number> = {};
  for (const object of guiltyObjects(tables)) {
    const lives = new Map<string, Life>();
    let isPastStart = false;
    const tellStart = (): void => {
      if (!isPastStart) for (const { isOpen } of lives.values()) if (isOpen) balance.opening += 1;
      isPastStart = true;
    };
    const close = (key: string, at: number, by: string): void => {
      const life = lives.get(key);
      if (life?.isOpen !== true) return;
      life.isOpen = false;
      if (at < week.from) return;
      balance.closed += 1;
      count(closedBy, by);
    };
    for (const { at, kind, found } of object.turns) {
      if (at >= week.to) break;
      if (at >= week.from) tellStart();
      if (kind !== 'verdict') {
        for (const key of lives.keys()) close(key, at, kind);
        continue;
      }
      for (const key of lives.keys()) if (!found.has(key)) close(key, at, 'rescanned');
      for (const [key, isCovered] of found) {
        const life = lives.get(key) ?? { isOpen: false, wasKnown: false };
        lives.set(key, life);
        if (isCovered) close(key, at, 'excepted');
        else if (!life.isOpen) {
          life.isOpen = true;
          if (at >= week.from) balance[life.wasKnown ? 'reopened' : 'new'] += 1;
        }
        life.wasKnown = true;
      }
    }
    tellStart();
    for (const [key, { isOpen }] of lives)
      if (isOpen) {
        balance.closing += 1;
        count(open, `${object.severities.get(key)} ${(JSON.parse(key) as string[])[0]} ${object.bucket}`);
      }
  }
  return { balance, closedBy, open };
}

interface Turn {
  readonly at: number;
  readonly order: number;
  readonly kind: 'verdict' | 'decided' | 'gone';
  /** By the finding, whether all of its places are covered. */
  readonly found: ReadonlyMap<string, boolean>;
}

const NONE: ReadonlyMap<string, boolean> = new Map();

function* guiltyObjects(tables: Tables) {
  const scansOf = groupBy(tables.scans, ({ object_id: id }) => id);
  const findingsOf = groupBy(tables.findings, ({ scan_id: id }) => id);
  const decisionsOf = groupBy(tables.decisions, ({ object_id: id }) => id);
  const guilty = new Set(tables.findings.map(({ object_id: id }) => id));
  const held = new Set(
    tables.actions
      .filter(({ action, performed }) => performed && action === 'quarantined')
      .map((row) => row.object_id),
  );
  for (const object of tables.objects) {
    if (!guilty.has(object.id) || object.folded_into !== null) continue;
    const severities = new Map<string, string>();
    const turns: Turn[] = [];
    for (const scan of scansOf.get(object.id) ?? []) {
      if (scan.verdict_at === null) continue;
      const found = new Map<string, boolean>();
      for (const finding of findingsOf.get(scan.id) ?? []) {
        const key = JSON.stringify([finding.kind, finding.rule_id, finding.fingerprint]);
        found.set(key, (found.get(key) ?? true) && finding.accepted);
        severities.set(key, finding.severity);
      }
      turns.push({ at: Number(scan.verdict_at), order: scan.generation, kind: 'verdict', found });
    }
    for (const { at } of decisionsOf.get(object.id) ?? [])
      turns.push({ at: Number(at), order: 1e6, kind: 'decided', found: NONE });
    if (object.deleted_at !== null && !held.has(object.id))
      turns.push({ at: Number(object.deleted_at), order: 2e6, kind: 'gone', found: NONE });
    turns.sort((a, b) => a.at - b.at || a.order - b.order);
    yield { bucket: object.bucket, severities, turns };
  }
}
