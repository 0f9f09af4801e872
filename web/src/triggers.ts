/* Trigger rules, and what a try-out of them says, as the server says them. */

export type Effect = 'allow' | 'deny';
export const EVENT_KINDS = ['created', 'restored'] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export interface Share {
  readonly workflow: string;
  readonly version?: number;
  readonly percent: number;
}

export interface Rule {
  readonly name: string;
  readonly description?: string;
  readonly effect: Effect;
  readonly position: number;
  readonly enabled: boolean;
  readonly bucket?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly minSizeBytes?: number;
  readonly maxSizeBytes?: number;
  readonly eventKinds: readonly EventKind[];
  readonly contentTypes?: readonly string[];
  readonly tags?: Readonly<Record<string, string>>;
  readonly trustTags: boolean;
  readonly workflow?: string;
  /** The workflow's. */
  readonly version?: number;
  readonly shares?: readonly Share[];
  readonly priority: number;
  readonly input?: Readonly<Record<string, unknown>>;
  readonly origin: 'shipped' | 'api' | 'file';
  readonly ruleVersion: number;
  readonly updatedAt: string;
  readonly updatedBy: string;
  readonly problems: readonly string[];
}

export interface TestResult {
  readonly upload: {
    readonly sizeBytes: number | null;
    readonly contentType: string | null;
    readonly tags: Readonly<Record<string, string>> | null;
  };
  readonly decision: {
    readonly kind: 'start' | 'skip';
    readonly rule: string;
    readonly workflow?: string;
    readonly version?: number;
    readonly priority?: number;
    readonly input?: unknown;
  };
  readonly rules: readonly {
    readonly rule: string;
    readonly effect: Effect;
    readonly outcome: 'wins' | 'holds' | 'fallback' | 'fails' | 'disabled';
    readonly why: string;
  }[];
  readonly notes: readonly string[];
}

export const rulePath = (name: string): string => `/triggers/${encodeURIComponent(name)}`;
