import type { ByteSet } from './byte-set.js';

export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'wordBoundary' | 'noWordBoundary';

/** A parsed RE2 pattern. Flags are resolved while parsing: case folding is in the sets, `s` and `m` in their nodes. */
export type Pattern =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'concat'; readonly items: readonly Pattern[] }
  | { readonly kind: 'alternate'; readonly branches: readonly Pattern[] }
  | { readonly kind: 'capture'; readonly name: string | undefined; readonly inner: Pattern }
  | {
      readonly kind: 'repeat';
      readonly inner: Pattern;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    };
