export interface Target {
  readonly inputs: readonly string[];
  readonly stamp: string;
  readonly proof: string;
}
export function filesBelow(path: string): string[];
export function isFresh(target: Target, base?: string): boolean;
export function markFresh(target: Target, hash: string, base?: string): void;
export function markStale(target: Target, base?: string): void;
export function hashOf(target: Target, base?: string): string;
