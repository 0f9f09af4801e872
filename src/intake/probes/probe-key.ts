/** Below it the doctor puts the objects by which it proves a bucket; nothing of anybody else belongs there. */
export const PROBE_PREFIX = '.sallyport/doctor/';

/** The key of one probe. `id` is not to be guessed: who knows it before the probe is done could hide an upload there. */
export const probeKey = (id: string): string => `${PROBE_PREFIX}${id}`;

/** The probe that a key names, if it has the form of one. Only a probe that the database knows as running counts. */
export function probeIdOf(key: string): string | undefined {
  if (!key.startsWith(PROBE_PREFIX)) return undefined;
  const id = key.slice(PROBE_PREFIX.length);
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : undefined;
}
