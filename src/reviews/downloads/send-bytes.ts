import { createHash } from 'node:crypto';
import { chunksOf, type OpenedBody } from '../../s3/body.js';

/** What was handed to the connection in the end; the digest is of that, also where it is a part. */
export interface Sent {
  readonly bytes: number;
  readonly sha256: string;
  readonly isWhole: boolean;
}

/** Bytes on their way to a reader, who takes them at their own pace, and how far they came. */
export class Sending {
  private readonly hash = createHash('sha256');
  private bytes = 0;

  constructor(private readonly opened: OpenedBody) {}

  async *chunks(): AsyncGenerator<Buffer, void> {
    for await (const chunk of chunksOf(this.opened)) {
      this.hash.update(chunk);
      this.bytes += chunk.length;
      yield chunk;
    }
  }

  /** No more is wanted; call it once. @param isTaken the connection took all that it was handed. */
  end(isTaken: boolean): Sent {
    this.opened.body.destroy();
    const { bytes } = this;
    return { bytes, sha256: this.hash.digest('hex'), isWhole: isTaken && bytes === this.opened.lengthBytes };
  }
}
