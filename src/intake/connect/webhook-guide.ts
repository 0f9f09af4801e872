import type { Config } from '../../config.js';
import { publicUrl } from '../../config.js';

/** What is to be set by hand at a server that posts its events. */
export interface WebhookGuide {
  readonly url: string;
  readonly token: string;
  readonly servers: { readonly name: string; readonly commands: string[]; readonly note: string }[];
}

/** The token itself is in no answer: whoever sets this up has it from where it is kept. */
export function webhookGuide(
  config: Config,
  { endpointId, bucket }: { readonly endpointId: string; readonly bucket: string },
): WebhookGuide {
  const url = `${publicUrl(config)}/events/s3`;
  const token = '$EVENTS_TOKEN';
  return {
    url,
    token: `GET /api/v1/endpoints/${endpointId}/events-token tells it; its showing is in the audit`,
    servers: [
      {
        name: 'MinIO',
        commands: [
          `mc admin config set ALIAS notify_webhook:sallyport endpoint="${url}" auth_token="${token}" queue_dir="/var/lib/minio/events"`,
          'mc admin service restart ALIAS',
          `mc event add ALIAS/${bucket} arn:minio:sqs::sallyport:webhook --event put,delete`,
        ],
        note: 'Without queue_dir an event that cannot be delivered at once is lost.',
      },
      {
        name: 'versitygw',
        commands: [`versitygw --event-webhook-url "${url}/${token}" posix DIRECTORY`],
        note: 'It posts each event once and never again: let the comparison with the listing run on a schedule.',
      },
      {
        name: 'Ceph, Garage, RustFS and others',
        commands: [`POST ${url} with "Authorization: Bearer ${token}", or POST ${url}/${token}`],
        note: 'Any of the shapes of S3, SNS and EventBridge is understood.',
      },
    ],
  };
}
