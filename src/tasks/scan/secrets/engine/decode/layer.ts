import { decodeUnits } from './units.js';

/** How text may be written that is not in clear. */
export type Encoding =
  | 'base64'
  | 'hex'
  | 'percent'
  | 'escape'
  | 'html'
  | 'quoted-printable'
  | 'utf-16le'
  | 'utf-16be'
  | 'utf-32le'
  | 'utf-32be';

/**
 * A stretch of bytes that is decoded: `[from, to)`, of which `[codedFrom, codedTo)` is encoded and the rest is context
 * that stands beside it in clear. Positions are those of the bytes that hold it.
 */
export interface Layer {
  readonly encoding: Encoding;
  readonly from: number;
  readonly to: number;
  readonly codedFrom: number;
  readonly codedTo: number;
}

/**
 * What a layer decodes to: the bytes `[from, to)`, among those of other layers. Byte `i` comes from the unit of the source
 * that begins at `starts[i]`; `starts[to]` is where the source ends.
 */
export interface Decoded {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly starts: Uint32Array;
}

/**
 * Where decoded bytes stand, so that they can be decoded again from a few bytes of the source: `size` bytes, `skip` bytes
 * into what `layer` decodes to. With `inner`, that text is itself decoded.
 */
export interface Place {
  readonly layer: Layer;
  readonly skip: number;
  readonly size: number;
  readonly inner: Place | undefined;
}

/** Decodes a layer alone. */
export function decodeLayer(source: Buffer, layer: Layer): Decoded {
  const out = new Output();
  out.begin(spaceFor(layer));
  return decodeInto(out, source, layer);
}

/** Adds what a layer decodes to to an output that has space for it. */
export function decodeInto(out: Output, source: Buffer, layer: Layer): Decoded {
  const { from, to, codedFrom, codedTo } = layer;
  const decodedFrom = out.length;
  out.copy(source, from, codedFrom);
  decodeUnits(layer.encoding, source, codedFrom, codedTo, out);
  out.copy(source, codedTo, to);
  const decodedTo = out.length;
  out.add(BORDER, to);
  return { bytes: out.bytes, from: decodedFrom, to: decodedTo, starts: out.starts };
}

/** How many bytes a layer takes at most: no encoding makes a text longer. */
export const spaceFor = ({ from, to }: Layer): number => to - from + 1;

// Stands behind each text. No text in UTF-8 has it, nor any word that is looked for.
const BORDER = 0xff;

/** Collects decoded bytes. Used again for the next texts, it allocates nothing. */
export class Output {
  bytes: Buffer = Buffer.alloc(0);
  starts = new Uint32Array(0);
  length = 0;

  /** Empties it, and makes space for so many bytes. */
  begin(mostBytes: number): void {
    this.length = 0;
    if (this.bytes.length >= mostBytes) return;
    this.bytes = Buffer.allocUnsafeSlow(2 * mostBytes);
    this.starts = new Uint32Array(2 * mostBytes);
  }

  /** @param start of the unit of the source that the byte comes from. */
  add(byte: number, start: number): void {
    this.bytes[this.length] = byte;
    this.starts[this.length++] = start;
  }

  /** Adds `[from, to)` of the source as it stands there. */
  copy(source: Buffer, from: number, to: number): void {
    const { bytes, starts, length } = this;
    const shift = length - from;
    for (let at = from; at < to; at++) {
      bytes[at + shift] = source[at]!;
      starts[at + shift] = at;
    }
    this.length = length + Math.max(0, to - from);
  }
}

/** Whether any of the bytes `[start, end)`, or of their direct neighbours, stood there in another form. */
export function isTouched(decoded: Decoded, start: number, end: number): boolean {
  const { starts } = decoded;
  const from = Math.max(decoded.from, start - 1);
  const to = Math.min(decoded.to, end + 1);
  return starts[to]! - starts[from]! !== to - from;
}

/** The place of decoded bytes within a layer, and of what is inside them. */
export function placeOf(layer: Layer, decoded: Decoded, start: number, end: number, inner?: Place): Place {
  const { starts } = decoded;
  const from = starts[start]!;
  const to = unitEnd(decoded, end);
  return {
    layer: {
      encoding: layer.encoding,
      from,
      to,
      codedFrom: Math.min(to, Math.max(from, layer.codedFrom)),
      codedTo: Math.max(from, Math.min(to, layer.codedTo)),
    },
    skip: start - unitStart(decoded, start),
    size: end - start,
    inner,
  };
}

/** The characters of the source that hold any bit of the decoded bytes `[start, end)`. */
export function sourceSpan(layer: Layer, decoded: Decoded, start: number, end: number): [number, number] {
  const { starts } = decoded;
  const to = unitEnd(decoded, end);
  if (layer.encoding !== 'base64') return [starts[start]!, to];
  // A byte of base64 shares its four characters with two others.
  const before = start - unitStart(decoded, start);
  const open = end - unitStart(decoded, end);
  return [
    starts[start]! + Math.floor((before * 8) / 6),
    open === 0 ? to : Math.min(to, starts[end]! + Math.ceil((open * 8) / 6)),
  ];
}

function unitStart({ starts, from }: Decoded, at: number): number {
  let first = at;
  while (first > from && starts[first - 1] === starts[at]) first--;
  return first;
}

/** Where the source's unit ends that byte `end - 1` comes from. */
function unitEnd({ from, to, starts }: Decoded, end: number): number {
  let next = end;
  while (next > from && next < to && starts[next] === starts[next - 1]) next++;
  return starts[next]!;
}

/** The same place in a text that begins elsewhere: its layer then begins at `from`. */
export function movedTo({ layer, skip, size, inner }: Place, from: number): Place {
  const by = from - layer.from;
  return {
    layer: {
      encoding: layer.encoding,
      from,
      to: layer.to + by,
      codedFrom: layer.codedFrom + by,
      codedTo: layer.codedTo + by,
    },
    skip,
    size,
    inner,
  };
}

/** Decodes a place again; `source` holds the text from `base` on. */
export function resolvePlace(source: Buffer, base: number, place: Place): Buffer {
  const { layer, skip, size, inner } = place;
  const { bytes } = decodeLayer(source, movedTo(place, layer.from - base).layer);
  const wanted = bytes.subarray(skip, skip + size);
  return inner === undefined ? wanted : resolvePlace(wanted, 0, inner);
}

/** The encodings of a place, the outermost first. */
export function encodingsOf(place: Place): Encoding[] {
  return [place.layer.encoding, ...(place.inner === undefined ? [] : encodingsOf(place.inner))];
}
