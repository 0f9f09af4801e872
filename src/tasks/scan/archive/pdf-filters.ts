import { CannotUnpack } from './budget.js';
import { InflateUnpacker, isWhite } from './inflate-unpacker.js';
import { LzwUnpacker } from './lzw-unpacker.js';
import { PngPredictor, TiffPredictor, type RowShape } from './predictors.js';
import type { Out, Unpacker } from './unpacker.js';

/** How the bytes of one stream are packed. */
export interface Packing {
  /** The filters as the dictionary has them. */
  readonly stated: string;
  /** In the order in which they are undone. */
  readonly filters: readonly string[];
  readonly predictor: (RowShape & { readonly kind: 'png' | 'tiff' }) | undefined;
  readonly earlyChange: boolean;
}

const SHORT: Readonly<Record<string, string>> = {
  Fl: 'FlateDecode',
  LZW: 'LZWDecode',
  A85: 'ASCII85Decode',
  AHx: 'ASCIIHexDecode',
  RL: 'RunLengthDecode',
  DCT: 'DCTDecode',
  CCF: 'CCITTFaxDecode',
};
const PICTURES = new Set(['DCTDecode', 'JPXDecode', 'CCITTFaxDecode', 'JBIG2Decode']);
const MOST_FILTERS = 8;
// A reference, or more blanks than anybody writes: bounded, so that what is tried at each place does not grow.
const PARAMETERS_ELSEWHERE =
  /\/(?:DecodeParms|DP)(?:\s{100}|\s{0,99}\[\s{100}|\s{0,99}\[?\s{0,99}\d{1,10}(?:\s{100}|\s{1,99}\d{1,10}(?:\s{100}|\s{1,99}R)))/;

/** What a stream's dictionary says, `undefined` where nothing is packed. @throws CannotUnpack */
export function packingOf(dictionary: string): Packing | undefined {
  const stated = [
    ...dictionary.matchAll(/\/Filter(?![A-Za-z0-9])\s{0,100}(\[[^\]]{0,1000}\]|\/\w{1,100})?/g),
  ];
  if (stated.length === 0) return undefined;
  const value = stated[0]?.[1];
  if (stated.length > 1 || value === undefined) throw unsupported('its filter is not said in place');
  // In a comment or a text a bracket ends nothing.
  if (/[%(]/.test(value)) throw unsupported('its filter is not said plainly');
  const filters = [...value.matchAll(/\/(\w+)/g)].map(([, name = '']) => SHORT[name] ?? name);
  if (filters.length > MOST_FILTERS)
    throw new CannotUnpack('limit', `pdf: more than ${MOST_FILTERS} filters`);
  if (PARAMETERS_ELSEWHERE.test(dictionary)) throw unsupported('its parameters are elsewhere');
  const parameters = parametersOf(dictionary, filters);
  return {
    stated: value,
    filters,
    predictor: predictorOf(parameters),
    earlyChange: number(parameters, 'EarlyChange', 1) !== 0,
  };
}

const TAKES_PARAMETERS = new Set(['FlateDecode', 'LZWDecode']);
const A_PARAMETER = /\/(?:Predictor|EarlyChange)(?![A-Za-z0-9])/;
const PARAMETERS =
  /\/(?:DecodeParms|DP)(?![A-Za-z0-9])\s{0,99}(<<[^<>]{0,1000}>>|\[(?:\s{0,99}(?:null(?![A-Za-z0-9])|<<[^<>]{0,1000}>>)){0,8}\s{0,99}\])|<<|>>|<[0-9A-Fa-f\s]{0,1000}>/g;

/**
 * The parameters of the one filter that takes them. A reader heeds them nowhere else, and whoever undoes what nobody did
 * sees noise: what stands in another place is said.
 *
 * @throws CannotUnpack
 */
function parametersOf(dictionary: string, filters: readonly string[]): string {
  if (!A_PARAMETER.test(dictionary)) return '';
  const takers = filters.flatMap((filter, at) => (TAKES_PARAMETERS.has(filter) ? [at] : []));
  const [taker] = takers;
  if (/[%(]/.test(dictionary) || takers.length !== 1 || taker === undefined)
    throw unsupported('its parameters are not said plainly');
  const stated = statedParameters(dictionary);
  const each = stated.startsWith('[')
    ? [...stated.matchAll(/null|<<[^<>]*>>/g)].map(([one]) => one)
    : [stated];
  const own = each[taker] ?? '';
  const isEach = each.length === filters.length || each.length === 1;
  if (!isEach || A_PARAMETER.test(dictionary.replace(own, '')))
    throw unsupported('its parameters are not said in place');
  return own;
}

/** What the dictionary itself, and none inside it, has as /DecodeParms. */
function statedParameters(dictionary: string): string {
  let depth = 0;
  let stated: string | undefined;
  for (const [token, value] of dictionary.matchAll(PARAMETERS)) {
    if (token === '<<') depth += 1;
    else if (token === '>>') depth -= 1;
    if (value === undefined) continue;
    if (stated !== undefined || depth !== 1) throw unsupported('its parameters are not said in place');
    stated = value;
  }
  if (stated === undefined) throw unsupported('its parameters are not said in place');
  return stated;
}

function predictorOf(dictionary: string): Packing['predictor'] {
  const kind = number(dictionary, 'Predictor', 1);
  if (kind === 1) return undefined;
  if (kind !== 2 && (kind < 10 || kind > 15)) throw unsupported(`predictor ${kind}`);
  const columns = number(dictionary, 'Columns', 1);
  const colors = number(dictionary, 'Colors', 1);
  const bits = number(dictionary, 'BitsPerComponent', 8);
  return { kind: kind === 2 ? 'tiff' : 'png', columns, colors, bits };
}

/** A number that stands once at most. @throws CannotUnpack */
function number(dictionary: string, name: string, otherwise: number): number {
  const found = [...dictionary.matchAll(new RegExp(`/${name}(?![A-Za-z0-9])\\s*(\\d+)?`, 'g'))];
  const values = new Set(found.map(([, value]) => value));
  const [value] = values;
  if (values.size > 1 || (values.size === 1 && value === undefined))
    throw unsupported(`its ${name} is not said in place`);
  return value === undefined ? otherwise : Number(value);
}

/** The unpackers of a stream, first to last; a picture's own coding stays as it is. @throws CannotUnpack */
export function unpackersOf(packing: Packing): Unpacker[] {
  const unpackers: Unpacker[] = [];
  for (const [at, filter] of packing.filters.entries()) {
    if (PICTURES.has(filter) && at === packing.filters.length - 1) return unpackers;
    unpackers.push(unpackerOf(filter, packing));
    const takesPredictor = filter === 'FlateDecode' || filter === 'LZWDecode';
    if (takesPredictor && packing.predictor !== undefined) unpackers.push(predictorFor(packing.predictor));
  }
  return unpackers;
}

const predictorFor = (predictor: NonNullable<Packing['predictor']>): Unpacker =>
  predictor.kind === 'png' ? new PngPredictor(predictor) : new TiffPredictor(predictor);

function unpackerOf(filter: string, packing: Packing): Unpacker {
  switch (filter) {
    case 'FlateDecode':
      return new InflateUnpacker();
    case 'LZWDecode':
      return new LzwUnpacker(packing.earlyChange);
    case 'ASCIIHexDecode':
      return new TextUnpacker(new Hex());
    case 'ASCII85Decode':
      return new TextUnpacker(new Ascii85());
    case 'RunLengthDecode':
      return new TextUnpacker(new RunLength());
    default:
      throw unsupported(`the filter ${filter}`);
  }
}

const unsupported = (what: string) => new CannotUnpack('unsupported', `pdf: ${what}`);
const corrupt = (what: string) => new CannotUnpack('corrupt', `pdf: ${what}`);

/** Undoes a coding byte by byte. */
interface ByteCoding {
  /** Whether its end mark came. */
  isOver: boolean;
  push(byte: number, out: number[]): void;
  end(out: number[]): void;
}

// Of input; a run length takes two bytes for 128 at most.
const PIECE_BYTES = 4096;

class TextUnpacker implements Unpacker {
  constructor(private readonly coding: ByteCoding) {}

  async write(chunk: Buffer, out: Out): Promise<void> {
    for (let from = 0; from < chunk.length; from += PIECE_BYTES) {
      const bytes: number[] = [];
      for (const byte of chunk.subarray(from, from + PIECE_BYTES)) {
        if (!this.coding.isOver) this.coding.push(byte, bytes);
        else if (!isWhite(byte)) throw corrupt('something follows after the end of a stream');
      }
      if (bytes.length > 0) await out(Buffer.from(bytes));
    }
  }

  async end(out: Out): Promise<void> {
    const bytes: number[] = [];
    if (!this.coding.isOver) this.coding.end(bytes);
    if (bytes.length > 0) await out(Buffer.from(bytes));
  }

  close(): void {
    this.coding.isOver = true;
  }
}

class Hex implements ByteCoding {
  isOver = false;
  private high = -1;

  push(byte: number, out: number[]): void {
    if (isWhite(byte)) return;
    if (byte === 0x3e) {
      this.end(out);
      this.isOver = true;
      return;
    }
    const digit = Number.parseInt(String.fromCharCode(byte), 16);
    if (Number.isNaN(digit)) throw corrupt('no hexadecimal digit');
    if (this.high >= 0) out.push(this.high * 16 + digit);
    this.high = this.high >= 0 ? -1 : digit;
  }

  end(out: number[]): void {
    if (this.high >= 0) out.push(this.high * 16);
    this.high = -1;
  }
}

class Ascii85 implements ByteCoding {
  isOver = false;
  private value = 0;
  private digits = 0;
  private isEnding = false;

  push(byte: number, out: number[]): void {
    if (isWhite(byte)) return;
    if (this.isEnding) {
      if (byte !== 0x3e) throw corrupt('no base-85 digit');
      this.isOver = true;
      return;
    }
    if (byte === 0x7e) {
      this.end(out);
      this.isEnding = true;
      return;
    }
    if (byte === 0x7a && this.digits === 0) {
      out.push(0, 0, 0, 0);
      return;
    }
    if (byte < 0x21 || byte > 0x75) throw corrupt('no base-85 digit');
    this.value = this.value * 85 + (byte - 0x21);
    this.digits += 1;
    if (this.digits === 5) this.group(4, out);
  }

  end(out: number[]): void {
    if (this.digits === 0) return;
    if (this.digits === 1) throw corrupt('half a base-85 group');
    const bytes = this.digits - 1;
    while (this.digits < 5) {
      this.value = this.value * 85 + 84;
      this.digits += 1;
    }
    this.group(bytes, out);
  }

  private group(bytes: number, out: number[]): void {
    if (this.value >= 2 ** 32) throw corrupt('a base-85 group that is too large');
    for (let at = 0; at < bytes; at += 1) out.push(Math.floor(this.value / 2 ** (24 - 8 * at)) & 0xff);
    this.value = 0;
    this.digits = 0;
  }
}

class RunLength implements ByteCoding {
  isOver = false;
  private literals = 0;
  private repeats = 0;

  push(byte: number, out: number[]): void {
    if (this.literals > 0) {
      out.push(byte);
      this.literals -= 1;
    } else if (this.repeats > 0) {
      for (; this.repeats > 0; this.repeats -= 1) out.push(byte);
    } else if (byte === 128) this.isOver = true;
    else if (byte < 128) this.literals = byte + 1;
    else this.repeats = 257 - byte;
  }

  end(): void {
    if (this.literals > 0 || this.repeats > 0) throw corrupt('a stream ends too early');
  }
}
