import { AppError } from '../../errors.js';

/** What an S3 error answer may carry beside code and message. */
export interface S3ErrorDetail {
  /** Further XML elements, in order. */
  readonly elements?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer of the S3 protocol that is not a success. Leaves this folder as S3's own XML. */
export class S3Error extends AppError {
  readonly elements: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly code: string,
    readonly status: number,
    message: string,
    detail: S3ErrorDetail = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.elements = detail.elements ?? {};
    this.headers = detail.headers ?? {};
  }
}

export const invalidArgument = (name: string, value: string, message: string): S3Error =>
  new S3Error('InvalidArgument', 400, message, { elements: { ArgumentName: name, ArgumentValue: value } });

export const invalidRequest = (message: string): S3Error => new S3Error('InvalidRequest', 400, message);

export const malformedXml = (detail: string): S3Error =>
  new S3Error(
    'MalformedXML',
    400,
    `The XML you provided was not well-formed or did not validate against our published schema: ${detail}`,
  );

export const badDigest = (what: string): S3Error =>
  new S3Error('BadDigest', 400, `The ${what} you specified did not match the calculated checksum.`);

export const accessDenied = (message: string, elements: Readonly<Record<string, string>> = {}): S3Error =>
  new S3Error('AccessDenied', 403, message, { elements });

export const noSuchBucket = (bucket: string): S3Error =>
  new S3Error('NoSuchBucket', 404, 'The specified bucket does not exist', {
    elements: { BucketName: bucket },
  });

export const noSuchKey = (key: string, headers: Readonly<Record<string, string>> = {}): S3Error =>
  new S3Error('NoSuchKey', 404, 'The specified key does not exist.', { elements: { Key: key }, headers });

export const noSuchVersion = (key: string, versionId: string): S3Error =>
  new S3Error('NoSuchVersion', 404, 'The specified version does not exist.', {
    elements: { Key: key, VersionId: versionId },
  });

export const noSuchUpload = (uploadId: string): S3Error =>
  new S3Error(
    'NoSuchUpload',
    404,
    'The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { elements: { UploadId: uploadId } },
  );

export const preconditionFailed = (condition: string): S3Error =>
  new S3Error('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
    elements: { Condition: condition },
  });

/** Says plainly that this endpoint does not do what was asked, so that nobody takes a 200 for it. */
export const notImplemented = (what: string): S3Error =>
  new S3Error('NotImplemented', 501, `${what} is not implemented by this endpoint, which is for trying out.`);

export const entityTooLarge = (maxBytes: number): S3Error =>
  new S3Error('EntityTooLarge', 400, 'Your proposed upload exceeds the maximum allowed size', {
    elements: { MaxSizeAllowed: String(maxBytes) },
  });

export const incompleteBody = (detail: string): S3Error =>
  new S3Error(
    'IncompleteBody',
    400,
    `You did not provide the number of bytes specified by the Content-Length HTTP header: ${detail}`,
  );
