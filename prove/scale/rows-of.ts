import type { Scratch } from './cluster.js';

interface Source {
  /** Which rows `t` of the table belong to the template of a clone `c`. */
  readonly where: string;
  /** What a clone has of its own, times apart. */
  readonly own: Readonly<Record<string, string>>;
}

const REVIEW_IN_TEXT = 'replace(t.line, c.template_review_id::text, c.review_id::text)';
const IDS_IN_DATA =
  'replace(replace(t.data::text, c.template_task_id, c.task_id), c.template_id, c.id)::json';

/** Where a parked workflow has rows; what others refer to comes first. */
const TABLES: Readonly<Record<string, Source>> = {
  workflow: { where: 't.id = c.template_id', own: { id: 'c.id' } },
  workflow_payload: { where: 't.workflow_id = c.template_id', own: { workflow_id: 'c.id' } },
  task: { where: 't.id = c.template_task_id', own: { id: 'c.task_id', workflow_id: 'c.id' } },
  workflow_timer: { where: 't.workflow_id = c.template_id', own: { workflow_id: 'c.id' } },
  task_log: {
    where: 't.task_id = c.template_task_id',
    own: { task_id: 'c.task_id', line: REVIEW_IN_TEXT },
  },
  review: {
    where: 't.id = c.template_review_id',
    own: { id: 'c.review_id', task_id: 'c.task_id', workflow_id: 'c.id' },
  },
  review_kin: { where: 't.review_id = c.template_review_id', own: { review_id: 'c.review_id' } },
  review_event: { where: 't.review_id = c.template_review_id', own: { review_id: 'c.review_id' } },
  // Whose token nobody knows, as nobody knows it of one that was mailed.
  review_link: {
    where: 't.review_id = c.template_review_id',
    own: {
      id: `'clone-' || c.n`,
      review_id: 'c.review_id',
      token_sha256: 'sha256(c.review_id::text::bytea)',
      mail_sha256: `sha256(('mail' || c.review_id)::bytea)`,
    },
  },
  audit_event: {
    where: `t.subject = 'review:' || c.template_review_id`,
    own: { subject: `'review:' || c.review_id`, data: IDS_IN_DATA },
  },
};

export const COPIED: readonly string[] = Object.keys(TABLES);

/** One INSERT per table that copies the rows of the templates of clones $1 to $2. */
export async function copyStatements(database: Scratch): Promise<readonly string[]> {
  const columns = await database.query<{ table_name: string; column_name: string; data_type: string }>(
    `SELECT table_name, column_name, data_type FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name = ANY ($1) AND is_identity = 'NO' ORDER BY ordinal_position`,
    [COPIED],
  );
  return Object.entries(TABLES).map(([table, { where, own }]) => {
    const mine = columns.filter(({ table_name }) => table_name === table);
    const values = mine.map(({ column_name: column, data_type: type }) => {
      const isTime = type === 'bigint' && /(^|_)(at|until)$/.test(column);
      return own[column] ?? (isTime ? `t.${column} - c.earlier_ms` : `t.${column}`);
    });
    // In the order of `n`: the oldest lies first in its table.
    return `INSERT INTO ${table} (${mine.map(({ column_name }) => column_name).join(', ')})
      SELECT ${values.join(', ')} FROM proof.clone c JOIN ${table} t ON ${where}
      WHERE c.n >= $1 AND c.n < $2 ORDER BY c.n`;
  });
}
