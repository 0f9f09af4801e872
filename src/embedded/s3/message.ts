import type { RequestBody } from './request-body.js';
import type { RequestHeaders } from './request-headers.js';
import type { Origin, Store } from './store.js';
import { writeXml } from './write-xml.js';
import type { XmlContent } from './write-xml.js';

/** A request whose signature holds. `bucket` and `key` are '' where the route has none. */
export interface S3Request {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  readonly headers: RequestHeaders;
  readonly body: RequestBody;
  readonly origin: Origin;
}

/** What handlers may use. */
export interface Context {
  readonly store: Store;
  readonly region: string;
  readonly now: () => Date;
}

/** An answer. Header values hold one byte per character. */
export interface S3Response {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | StreamBody;
}

export interface StreamBody {
  readonly length: number;
  readonly stream: () => AsyncIterable<Buffer>;
  /** Called once in any case, when the answer is sent or cannot be. */
  readonly dispose: () => void;
}

export type Handler = (request: S3Request, context: Context) => Promise<S3Response>;

/** The account that owns everything here, as x-amz-expected-bucket-owner names it. */
export const ACCOUNT_ID = '000000000000';
/** The canonical user id of that account. */
export const OWNER_ID = '0'.repeat(64);
export const MAX_OBJECT_BYTES = 5 * 1024 ** 3;
/** Of an object in parts. */
export const MAX_OBJECT_IN_PARTS_BYTES = 5 * 1024 ** 4;

export const xmlResponse = (
  root: string,
  content: XmlContent,
  headers: Readonly<Record<string, string | undefined>> = {},
): S3Response => ({
  status: 200,
  headers: { 'content-type': 'application/xml', ...headers },
  body: writeXml(root, content),
});

/** Carries text of any characters in a header as its UTF-8 bytes. */
export const headerText = (text: string): string => Buffer.from(text).toString('latin1');

/** S3 tells times of objects in whole seconds, in listings as in headers. */
export const isoSeconds = (at: number): string => new Date(Math.floor(at / 1000) * 1000).toISOString();

export const httpDate = (at: number): string => new Date(at).toUTCString();
