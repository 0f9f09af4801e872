import { describe, expect, it } from 'vitest';
import { ConnectService } from '../../../src/intake/connect/connect.service.js';
import { ConnectTargets } from '../../../src/intake/connect/connect-targets.js';
import { TemplateWish } from '../../../src/intake/connect/connect-view.js';
import { BucketSettings } from '../../../src/s3/bucket-settings.js';
import { QueueSetup } from '../../../src/s3/queue-setup.js';
import { registryNode } from '../../s3/registry/registry-app.js';
import { testDatabase } from '../../support/database.js';

describe('a template for a bucket whose server has no queues', () => {
  it.each([
    ['the embedded endpoint', {}, { endpointId: 'embedded', bucket: 'uploads' }, /by itself.*bucket add/],
    [
      'a server that posts its events',
      { S3_ENDPOINT: 'http://127.0.0.1:1', S3_BUCKETS: 'inbox' },
      { endpointId: 's3', bucket: 'inbox' },
      /webhook.*Leave --terraform and --cloudformation out/,
    ],
  ])('of %s is refused with what is to be done instead', async (_, environment, place, sentence) => {
    const db = await testDatabase();
    await db.truncate();
    const node = await registryNode(db, environment);
    const service = new ConnectService(
      new ConnectTargets(node.registry, node.config),
      new BucketSettings(node.endpoints),
      new QueueSetup(node.config),
      node.database,
      node.clock,
      node.config,
    );
    const wish = TemplateWish.parse({ format: 'terraform' });
    await expect(service.template(place, wish)).rejects.toThrow(sentence);
  });
});
