/** What an engine knows now: its signature database or rule pack. */
export interface EngineVersion {
  readonly engine: 'clamd' | 'secrets' | 'yara-x';
  /** Number or digest; changes when the engine may find what it did not find before. */
  readonly database: string;
  /** Its silence counts as clean. */
  readonly isTrusted: boolean;
}

/** The engines of this process, as they are now; one that is not there is not among them. */
export abstract class EngineVersions {
  abstract current(): readonly EngineVersion[];
}
