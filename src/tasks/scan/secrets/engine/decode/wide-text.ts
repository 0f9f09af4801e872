import type { Encoding, Layer } from './layer.js';

// Fewer characters hold no secret.
const SHORTEST = 12;

const isPlain = (byte: number | undefined): boolean =>
  byte !== undefined && ((byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13);

interface Form {
  readonly encoding: Encoding;
  readonly bytes: number;
  readonly low: number;
}

const FORMS: readonly Form[] = [
  { encoding: 'utf-32le', bytes: 4, low: 0 },
  { encoding: 'utf-32be', bytes: 4, low: 3 },
  { encoding: 'utf-16le', bytes: 2, low: 0 },
  { encoding: 'utf-16be', bytes: 2, low: 1 },
];

/** Finds texts of two or four bytes a character that begin in `[from, to)`, as in programs and databases; one may reach on to `end`. */
export function findWideText(bytes: Buffer, from: number, to: number, end: number, found: Layer[]): void {
  const seen = bytes.subarray(0, Math.min(end, to + 4));
  for (let zero = seen.indexOf(0, from); zero >= 0; zero = seen.indexOf(0, zero)) {
    const layer = FORMS.map((form) => textAt(bytes, zero, from, end, form)).find(
      (one) => one !== undefined && one.from < to,
    );
    if (layer !== undefined) {
      found.push(layer);
      zero = Math.max(zero + 1, layer.to);
      continue;
    }
    zero++;
    // Long stretches of zeros are not looked at one by one.
    while (
      zero < end &&
      bytes[zero] === 0 &&
      bytes[zero + 1] === 0 &&
      bytes[zero + 2] === 0 &&
      bytes[zero + 3] === 0
    )
      zero++;
  }
}

/** The text whose first character of zeros stands at `zero`, if there is one long enough. */
function textAt(bytes: Buffer, zero: number, from: number, end: number, form: Form): Layer | undefined {
  const start = form.low === 0 ? zero - 1 : zero;
  if (start < from) return undefined;
  let stop = start;
  while (stop + form.bytes <= end && isCharacter(bytes, stop, form)) stop += form.bytes;
  if (stop - start < SHORTEST * form.bytes) return undefined;
  return { encoding: form.encoding, from: start, to: stop, codedFrom: start, codedTo: stop };
}

function isCharacter(bytes: Buffer, at: number, { bytes: width, low }: Form): boolean {
  if (!isPlain(bytes[at + low])) return false;
  for (let i = 0; i < width; i++) if (i !== low && bytes[at + i] !== 0) return false;
  return true;
}
