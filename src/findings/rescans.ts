/** Scans that the life of findings asks for; bound to the intake's own. */
export abstract class Rescans {
  /** @throws NotFound for what is not there any more (or in quarantine), InvalidInput for a bucket that is not scanned. */
  abstract request(
    object: {
      readonly endpointId: string;
      readonly bucket: string;
      readonly key: string;
      readonly versionId?: string | undefined;
    },
    actor: string,
  ): Promise<unknown>;
}
