/** A bucket on an endpoint. */
export interface Place {
  readonly endpointId: string;
  readonly bucket: string;
}

/** A source bucket and where what is found in it is moved to: a bucket on the same endpoint. */
export interface Source extends Place {
  readonly quarantineBucket?: string | undefined;
}

/** A bucket that the service writes to for itself; `use` says for what. */
export interface Reserved extends Place {
  readonly use: string;
}

/** By endpoint id everything that its server is known by. Two endpoints that share a name are one server. */
export type ServerNames = ReadonlyMap<string, ReadonlySet<string>>;

/** Why a source bucket would be scanned twice, or feed itself; `field` is the one to change. */
export interface Loop {
  readonly field: 'bucket' | 'quarantineBucket';
  readonly message: string;
}

/** Whether two places are one bucket, whatever their endpoints are called. */
export const isSamePlace = (a: Place, b: Place, servers: ServerNames): boolean =>
  a.bucket === b.bucket && isSameServer(a.endpointId, b.endpointId, servers);

function isSameServer(a: string, b: string, servers: ServerNames): boolean {
  if (a === b) return true;
  const others = servers.get(b);
  return others !== undefined && [...(servers.get(a) ?? [])].some((name) => others.has(name));
}

/**
 * The first reason not to have this source beside the others: it is one of them by another address, it is written to by the
 * service (quarantine, large values), or its quarantine is scanned.
 */
export function loopOf(
  source: Source,
  others: readonly Source[],
  reserved: readonly Reserved[],
  servers: ServerNames,
): Loop | undefined {
  const isSame = (a: Place, b: Place): boolean => isSamePlace(a, b, servers);
  const quarantine = quarantineOf(source);
  if (quarantine !== undefined && isSame(quarantine, source)) {
    return {
      field: 'quarantineBucket',
      message: `${shown(source)} cannot be its own quarantine. Name a bucket that is not scanned.`,
    };
  }
  for (const other of others) {
    if (other.endpointId === source.endpointId && other.bucket === source.bucket) continue;
    const held = quarantineOf(other);
    if (isSame(other, source)) {
      return {
        field: 'bucket',
        message: `${shown(source)} is ${shown(other)} by another address: its objects would be scanned twice. Change that one.`,
      };
    }
    if (held !== undefined && isSame(held, source)) {
      return {
        field: 'bucket',
        message: `${shown(source)} holds the quarantine of ${shown(other)}: every move would start another scan. Name a bucket of its own there first.`,
      };
    }
    if (quarantine !== undefined && isSame(quarantine, other)) {
      return {
        field: 'quarantineBucket',
        message: `${shown(quarantine)} is scanned itself, as ${shown(other)}: every move would start another scan. Name a bucket that is not.`,
      };
    }
  }
  for (const kept of reserved) {
    if (isSame(kept, source)) {
      return { field: 'bucket', message: `${shown(source)} is kept for ${kept.use} and cannot be scanned.` };
    }
    if (quarantine !== undefined && kept.use !== 'quarantine' && isSame(kept, quarantine)) {
      return {
        field: 'quarantineBucket',
        message: `${shown(quarantine)} is kept for ${kept.use}. Name another bucket.`,
      };
    }
  }
  return undefined;
}

const quarantineOf = ({ endpointId, quarantineBucket }: Source): Place | undefined =>
  quarantineBucket === undefined ? undefined : { endpointId, bucket: quarantineBucket };

const shown = ({ endpointId, bucket }: Place): string => `${bucket} (endpoint ${endpointId})`;
