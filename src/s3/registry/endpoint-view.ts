import { z } from 'zod';
import type { RegisteredEndpoint } from './registered.js';

const printable = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[\x21-\x7e]+$/, 'must be printable characters without spaces');

const Keys = { accessKeyId: printable(128), secretAccessKey: printable(512) };

/** Keys can be set and never read. */
const Credentials = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('default') }),
  z.strictObject({ kind: z.literal('keys'), ...Keys }),
  z.strictObject({
    kind: z.literal('role'),
    roleArn: z
      .string()
      .regex(
        /^arn:aws[a-z-]{0,20}:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/,
        'must be the ARN of a role, as arn:aws:iam::123456789012:role/sallyport',
      ),
    externalId: z
      .string()
      .min(2)
      .max(1224)
      .regex(/^[\w+=,.@:/-]+$/, 'must be letters, digits and +=,.@:/-')
      .optional(),
    /** Whoever takes the role on; the default chain when absent. */
    keys: z.strictObject(Keys).optional(),
  }),
]);
export type CredentialsInput = z.infer<typeof Credentials>;

const settable = {
  /** AWS when null. */
  url: z.string().min(1).max(2_000).nullable(),
  region: z.string().regex(/^[a-z0-9][a-z0-9-]{0,49}$/, 'must be the name of a region, as eu-central-1'),
  pathStyle: z.boolean(),
  credentials: Credentials,
};

export const NewEndpoint = z
  .strictObject({
    id: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9_-]{0,62}$/,
        'must be 1 to 63 of a-z, 0-9, _ and -, beginning with a letter or digit',
      ),
    ...z.object(settable).partial().shape,
    credentials: Credentials,
  })
  .meta({ id: 'NewEndpoint' });
export type NewEndpoint = z.infer<typeof NewEndpoint>;

export const EndpointPatch = z
  .strictObject({ version: z.int().min(1).optional(), ...z.object(settable).partial().shape })
  .meta({ id: 'EndpointPatch' });
export type EndpointPatch = z.infer<typeof EndpointPatch>;

export const EndpointView = z
  .object({
    id: z.string(),
    /** Address and credentials of `embedded` and `configured` come from the configuration. */
    kind: z.enum(['embedded', 'configured', 'registered']),
    url: z.string().nullable(),
    region: z.string(),
    pathStyle: z.boolean(),
    credentials: z.object({
      kind: z.enum(['default', 'keys', 'role']),
      /** The last characters of the access key id. */
      accessKeyHint: z.string().nullable(),
      roleArn: z.string().nullable(),
      externalId: z.string().nullable(),
    }),
    version: z.number(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    updatedBy: z.string(),
  })
  .meta({ id: 'Endpoint' });
export type EndpointView = z.infer<typeof EndpointView>;

export const EndpointList = z.object({ items: z.array(EndpointView) }).meta({ id: 'EndpointList' });
export type EndpointList = z.infer<typeof EndpointList>;

/** An endpoint as the API and the audit show it: without what is sealed. */
export const endpointView = ({ credentials, ...endpoint }: RegisteredEndpoint): EndpointView => ({
  id: endpoint.id,
  kind: endpoint.kind,
  url: endpoint.url ?? null,
  region: endpoint.region,
  pathStyle: endpoint.pathStyle,
  credentials: {
    kind: credentials.kind,
    accessKeyHint: endpoint.accessKeyHint ?? null,
    roleArn: credentials.kind === 'role' ? credentials.roleArn : null,
    externalId: credentials.kind === 'role' ? (credentials.externalId ?? null) : null,
  },
  version: endpoint.version,
  createdAt: new Date(endpoint.createdAt).toISOString(),
  updatedAt: new Date(endpoint.updatedAt).toISOString(),
  updatedBy: endpoint.updatedBy,
});
