/** Takes the bytes of one object or member in order. Await each call before the next. */
export interface ByteSink {
  write(chunk: Buffer): Promise<void>;
  end(): Promise<void>;
  /** Gives up and frees what is held; safe at any time, also twice. */
  abort(): void;
}
