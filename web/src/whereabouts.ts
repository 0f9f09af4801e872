/** One step of moving an object, as its story tells it. */
export interface Step {
  readonly scanId: string;
  /** `quarantine`, `release`, `deletion` */
  readonly move: string;
  readonly step: string;
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly at: string;
}

/** Where an object went that is not in its bucket any more. */
export type Moved =
  | { readonly kind: 'quarantined'; readonly bucket: string; readonly key: string; readonly at: string }
  | { readonly kind: 'released' | 'deleted'; readonly at: string };

/** Undefined as long as it is, for all that is known, where it was uploaded. @param steps newest first. */
export function movedTo({
  steps,
  deletedAt,
}: {
  readonly steps: readonly Step[];
  readonly deletedAt: string | null;
}): Moved | undefined {
  if (deletedAt === null) return undefined;
  const said = (move: string, ...names: readonly string[]) =>
    steps.find((one) => one.move === move && names.includes(one.step));
  const deleted = said('deletion', 'deleted', 'copy_removed');
  if (deleted !== undefined) return { kind: 'deleted', at: deleted.at };
  const moved = said('quarantine', 'deleted');
  if (moved !== undefined) {
    const written = said('release', 'written', 'verified', 'copy_removed');
    if (written !== undefined) return { kind: 'released', at: written.at };
    const place = steps.find(({ scanId, step }) => scanId === moved.scanId && step === 'reserved')?.data;
    const { bucket, key } = place ?? {};
    if (typeof bucket === 'string' && typeof key === 'string')
      return { kind: 'quarantined', bucket, key, at: moved.at };
  }
  return { kind: 'deleted', at: deletedAt };
}
