import type { S3Client } from '@aws-sdk/client-s3';
import type { BucketPolicy } from './buckets.js';
import type { Reachability } from './reachability.js';

/** On which a bucket may be called, as the registry says them. */
export type CallTerms = Pick<BucketPolicy, 'expectedOwner' | 'requesterPays'>;

export type TermsOf = (bucket: string) => CallTerms | undefined;

/**
 * Sends with every call of a client whom its buckets must belong to, and that we pay where the requester pays. Whatever calls
 * there are: who writes a new one need not think of it.
 */
export function addTerms(client: S3Client, termsOf: TermsOf): void {
  client.middlewareStack.add(
    (next) => (call) => {
      const input = call.input as { readonly Bucket?: string; readonly CopySource?: string };
      const target = input.Bucket === undefined ? undefined : termsOf(input.Bucket);
      const source = input.CopySource === undefined ? undefined : termsOf(bucketOfCopy(input.CopySource));
      return next({
        ...call,
        input: {
          ...call.input,
          ...(target?.expectedOwner !== undefined && { ExpectedBucketOwner: target.expectedOwner }),
          ...(source?.expectedOwner !== undefined && { ExpectedSourceBucketOwner: source.expectedOwner }),
          ...((target?.requesterPays === true || source?.requesterPays === true) && {
            RequestPayer: 'requester',
          }),
        },
      });
    },
    { step: 'initialize', name: 'sallyportTerms' },
  );
}

/** Tells what became of every call, after the client's own tries. */
export function watchCalls(client: S3Client, endpointId: string, reachability: Reachability): void {
  client.middlewareStack.add(
    (next) => async (call) => {
      try {
        const answer = await next(call);
        reachability.answered(endpointId);
        return answer;
      } catch (error) {
        if (wasAnswered(error)) reachability.answered(endpointId);
        else reachability.failed(endpointId, error);
        throw error;
      }
    },
    { step: 'initialize', name: 'sallyportReachability' },
  );
}

/** `bucket/key`, percent-encoded, with or without a slash before it. */
const bucketOfCopy = (source: string): string =>
  decodeURIComponent(source.replace(/^\//, '').split('/', 1)[0] ?? '');

const wasAnswered = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== undefined;
