/* Buckets and endpoints, as the server says them. Times are ISO 8601. */

export type ActionMode = 'observe' | 'tag' | 'quarantine';
export type Engine = 'secrets' | 'malware';

export interface Bucket {
  readonly endpointId: string;
  readonly bucket: string;
  readonly actionMode: ActionMode;
  readonly required: readonly Engine[];
  readonly quarantineBucket: string | null;
  readonly ownerGroup: string | null;
  readonly reviewers: string | null;
  readonly priority: number | null;
  readonly quotas: { readonly maxRunning: number | null; readonly maxRunningBytes: number | null };
  readonly archivePasswordCount: number;
  readonly expectedOwner: string | null;
  readonly quarantineOwner: string | null;
  readonly requesterPays: boolean;
  readonly enabled: boolean;
  readonly managedBy: 'configuration' | 'people';
  readonly version: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

/** What a change is answered with. */
export interface ChangedBucket extends Bucket {
  /** It was taken, and this will not work as it is. */
  readonly warnings?: readonly string[];
}

/** Whether the events of a bucket arrive. */
export interface BucketEvents {
  readonly endpointId: string;
  readonly bucket: string;
  readonly watchedSince: string | null;
  readonly lastEventAt: string | null;
  readonly comparedAt: string | null;
  readonly missed: number;
  readonly missedSince: string | null;
}

export interface Endpoint {
  readonly id: string;
  readonly kind: 'embedded' | 'configured' | 'registered';
  readonly url: string | null;
  readonly region: string;
  readonly pathStyle: boolean;
  readonly credentials: {
    readonly kind: 'default' | 'keys' | 'role';
    readonly accessKeyHint: string | null;
    readonly roleArn: string | null;
    readonly externalId: string | null;
  };
  readonly version: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
}

/** What is done with what is found, in words for the person who chooses. */
export const ACTION_MODES: Readonly<Record<ActionMode, string>> = {
  observe: 'Observe: only record the verdict',
  tag: 'Tag: write the verdict on the object',
  quarantine: 'Quarantine: also move what is not clean away',
};

export const bucketPath = ({ endpointId, bucket }: Pick<Bucket, 'endpointId' | 'bucket'>): string =>
  `/buckets/${encodeURIComponent(endpointId)}/${encodeURIComponent(bucket)}`;
export const endpointPath = (id: string): string => `/endpoints/${encodeURIComponent(id)}`;
