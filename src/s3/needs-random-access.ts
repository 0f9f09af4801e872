const ZIP_BEGINNINGS = ['504b0304', '504b0506', '504b0708'];

/** Whether an object that begins with these bytes is a zip, whose directory stands at the end. */
export function needsRandomAccess(head: Buffer): boolean {
  return ZIP_BEGINNINGS.includes(head.subarray(0, 4).toString('hex'));
}
