/** What one input, output or set of outputs may measure as JSON; Conductor's maximum. */
export const MAX_PAYLOAD_BYTES = 10 * 1024 * 1024;
/** Deeper values overflow the stack of JSON.stringify long before they mean anything. */
export const MAX_PAYLOAD_DEPTH = 200;

/**
 * Says whether a value, written as JSON, stays within about `maxBytes` characters and within `maxDepth` levels.
 *
 * It stops at the bound: values share their parts, and a few kilobytes of references can unfold to gigabytes.
 */
export function isWithin(value: unknown, maxBytes: number, maxDepth = MAX_PAYLOAD_DEPTH): boolean {
  let size = 0;
  const stack: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { value: current, depth } = top;
    size += ownSize(current);
    if (size > maxBytes || depth > maxDepth) return false;
    if (Array.isArray(current)) {
      for (const item of current as readonly unknown[]) stack.push({ value: item, depth: depth + 1 });
    } else if (typeof current === 'object' && current !== null) {
      for (const [key, item] of Object.entries(current)) {
        size += key.length + 4;
        stack.push({ value: item, depth: depth + 1 });
      }
    }
  }
  return size <= maxBytes;
}

function ownSize(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value === 'number') return String(value).length;
  if (Array.isArray(value)) return value.length + 2;
  return value !== null && typeof value === 'object' ? 2 : 4;
}
