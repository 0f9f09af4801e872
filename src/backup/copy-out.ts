import { Query, type ClientBase, type Connection } from 'pg';

/** Whole rows in the text format of COPY. */
export interface CopiedRows {
  readonly bytes: Buffer;
  readonly rows: number;
}

/** COPY … TO STDOUT; pg hands each row over as it comes. */
class OutgoingCopy extends Query {
  constructor(
    statement: string,
    private readonly onRow: (row: Buffer, connection: Connection) => void,
  ) {
    super(statement);
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }, connection: Connection): void {
    this.onRow(chunk, connection);
  }
}

/**
 * What a COPY … TO STDOUT gives, in pieces of about `pieceBytes`. Nothing more is read from PostgreSQL than a piece and
 * what one packet held, while the consumer works on the one before.
 */
export async function* copyOut(
  client: ClientBase,
  statement: string,
  pieceBytes: number,
): AsyncGenerator<CopiedRows> {
  const ready: CopiedRows[] = [];
  let rows: Buffer[] = [];
  let size = 0;
  let held: Connection | undefined;
  let outcome: { readonly error?: Error } | undefined;
  let wake: () => void = () => undefined;
  const finishPiece = (): void => {
    if (rows.length > 0) ready.push({ bytes: Buffer.concat(rows), rows: rows.length });
    rows = [];
    size = 0;
    wake();
  };
  const copy = new OutgoingCopy(statement, (row, connection) => {
    // The driver writes over what it handed out.
    rows.push(Buffer.from(row));
    size += row.length;
    if (size < pieceBytes) return;
    finishPiece();
    held = connection;
    connection.stream.pause();
  });
  (copy as { callback?: (error: Error | null | undefined) => void }).callback = (error) => {
    outcome = error instanceof Error ? { error } : {};
    finishPiece();
  };
  client.query(copy);
  try {
    for (;;) {
      const piece = ready.shift();
      if (piece !== undefined) {
        yield piece;
        continue;
      }
      if (outcome?.error !== undefined) throw outcome.error;
      if (outcome !== undefined) return;
      const woken = new Promise<void>((resolve) => (wake = resolve));
      held?.stream.resume();
      held = undefined;
      await woken;
    }
  } finally {
    // Whoever leaves early ends the connection, which a paused one would not notice.
    held?.stream.resume();
  }
}
