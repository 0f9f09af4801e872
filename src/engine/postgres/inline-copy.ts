import { Query, type ClientBase, type Connection } from 'pg';

/** The part of pg's connection that its types leave out. */
type Wire = Connection & {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
};

/**
 * COPY … FROM STDIN with its rows sent right behind the statement, so that it takes no turn of its own in a pipeline.
 *
 * The server reads in order, so it is in copy mode by then; when the statement failed, it drops the rows
 * (PostgreSQL manual, "Message Flow", "COPY Operations").
 */
class InlineCopy extends Query {
  constructor(
    private readonly statement: string,
    private readonly lines: string | Buffer,
  ) {
    super(statement);
  }

  override submit = (connection: Connection): void => {
    const wire = connection as Wire;
    wire.stream.cork();
    wire.query(this.statement);
    wire.sendCopyFromChunk(typeof this.lines === 'string' ? Buffer.from(this.lines) : this.lines);
    wire.endCopyFrom();
    wire.stream.uncork();
  };

  // The rows are on their way.
  handleCopyInResponse(): void {}
}

/** Copies these lines (`copyLine`) into a table, all or none. */
export function copyIn(client: ClientBase, statement: string, lines: string | Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const copy = new InlineCopy(statement, lines);
    (copy as { callback?: (error: Error | null | undefined) => void }).callback = (error) => {
      if (error instanceof Error) reject(error);
      else resolve();
    };
    client.query(copy);
  });
}
