export interface NamedPackage {
  /** Name and version, as in `zod@4.6.7`. */
  readonly id: string;
  /** An SPDX expression. */
  readonly licence: string;
  readonly texts: readonly string[];
}
export const BUNDLED: readonly { readonly name: string; readonly version?: string }[];
export function productionPackages(): NamedPackage[];
export function isAllowed(expression: string): boolean;
export function writeNotices(): Promise<number>;
