/** Deeper values overflow the stack of JSON.stringify long before they mean anything. */
export const MAX_PAYLOAD_DEPTH = 200;

/** Says whether a value, written as JSON, stays within `maxBytes` of UTF-8 and within `maxDepth` levels. */
export const isWithin = (value: unknown, maxBytes: number, maxDepth = MAX_PAYLOAD_DEPTH): boolean =>
  jsonBytes(value, maxBytes, maxDepth) <= maxBytes;

/**
 * How many bytes JSON.stringify's text of a value has in UTF-8; Infinity when it is more than `stopAbove` or nested
 * deeper than `maxDepth`.
 *
 * It stops at the bound: values share their parts, and a few kilobytes of references can unfold to gigabytes.
 */
export function jsonBytes(value: unknown, stopAbove: number, maxDepth = MAX_PAYLOAD_DEPTH): number {
  if (typeof value !== 'object' || value === null) return scalarBytes(value);
  let size = 0;
  const stack: { readonly value: object; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { value: current, depth } = top;
    if (depth > maxDepth) return Infinity;
    // The brackets, and a comma after each item but the last.
    let items = 0;
    if (Array.isArray(current)) {
      items = current.length;
      // By index: a list of millions must not become as many pairs.
      for (let index = 0; index < items; index += 1) {
        const item: unknown = current[index];
        if (typeof item === 'object' && item !== null) stack.push({ value: item, depth: depth + 1 });
        else size += scalarBytes(item);
        if (size > stopAbove) return Infinity;
      }
    } else {
      for (const [key, item] of Object.entries(current)) {
        if (item === undefined) continue;
        items += 1;
        size += textBytes(key) + 1;
        if (typeof item === 'object' && item !== null)
          stack.push({ value: item as object, depth: depth + 1 });
        else size += scalarBytes(item);
        if (size > stopAbove) return Infinity;
      }
    }
    size += 2 + Math.max(0, items - 1);
    if (size > stopAbove) return Infinity;
  }
  return size;
}

function scalarBytes(value: unknown): number {
  if (typeof value === 'string') return textBytes(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return 4;
    return Object.is(value, -0) ? 1 : String(value).length;
  }
  return value === false ? 5 : 4;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** \b \t \n \f \r have a short form, the other control characters six characters. */
const isShortEscape = (code: number): boolean => code >= 0x08 && code <= 0x0d && code !== 0x0b;

function textBytes(text: string): number {
  let bytes = 2;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code >= 0x20 && code < 0x80) bytes += code === QUOTE || code === BACKSLASH ? 2 : 1;
    else if (code < 0x20) bytes += isShortEscape(code) ? 2 : 6;
    else if (code < 0x800) bytes += 2;
    else if (code < 0xd800 || code > 0xdfff) bytes += 3;
    else if (code < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      bytes += 4;
      i += 1;
    } else bytes += 6;
  }
  return bytes;
}

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;
