import { copyLine, type CopyValue } from '../copy-line.js';
import { NEW_TASK_COLUMNS } from '../rows.js';
import type { Session } from '../session.js';

const STATEMENT = `COPY task (${NEW_TASK_COLUMNS}) FROM STDIN`;

/** New tasks, some of them already held by this process. */
export const insertTasks = (tx: Session, rows: readonly (readonly CopyValue[])[]): Promise<void> =>
  tx.copyIn(STATEMENT, rows.map(copyLine).join(''));
