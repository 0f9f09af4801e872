/** Takes unpacked bytes, which are the taker's own from then on. */
export type Out = (bytes: Buffer) => Promise<void>;

/**
 * Unpacks one compressed stream as it arrives, a bounded piece at a time however far the input expands.
 * Await each call before the next. What cannot be unpacked is thrown as CannotUnpack.
 */
export interface Unpacker {
  write(chunk: Buffer, out: Out): Promise<void>;
  /** The last byte was written: what was held back comes out, and the end must be where the format says. */
  end(out: Out): Promise<void>;
  /** Frees what is held; safe at any time, also twice. */
  close(): void;
}
