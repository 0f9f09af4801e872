import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const read = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

const Service = z.looseObject({
  image: z.string().optional(),
  user: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  healthcheck: z
    .object({ test: z.array(z.string()).min(2) })
    .loose()
    .optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  cap_drop: z.array(z.string()).default([]),
  privileged: z.boolean().optional(),
});
const Compose = z.looseObject({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.null()),
});

const text = read('docker-compose.yml');
const raw: unknown = parse(text, { merge: true });
const compose = Compose.parse(raw);
const services = Object.entries(compose.services);
const sallyport = Service.parse(compose.services['sallyport']);

describe('docker-compose.yml', () => {
  test('is valid by the schema of the Compose Specification', () => {
    const schema = JSON.parse(read('test/packaging/compose-spec.schema.json'));
    // Ajv knows draft-07 by its http address only; the schema itself is of that draft.
    delete schema.$schema;
    const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
    validate(raw);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('brings the service, PostgreSQL, S3 with its buckets, ClamAV and a mail catcher', () => {
    expect(Object.keys(compose.services).sort()).toEqual([
      'buckets',
      'clamav',
      'mail',
      'postgres',
      's3',
      'sallyport',
    ]);
  });

  test.each(services)('%s has a health check', (_name, service) => {
    expect(service.healthcheck?.test[0]).toBe('CMD');
  });

  test.each(services)('%s runs a pinned version', (_name, service) => {
    expect(service.image).toMatch(/^[a-z0-9/-]+:v?\d+\.\d+/);
  });

  test.each(services)('%s gives up every capability and gains none later', (_name, service) => {
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service['security_opt']).toEqual(['no-new-privileges:true']);
    expect(service.privileged).toBeUndefined();
  });

  test.each(services)('%s publishes ports on loopback only', (_name, service) => {
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test.each(services)('%s waits only for services that exist and can be waited for', (_name, service) => {
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      expect(compose.services).toHaveProperty(other);
      if (condition === 'service_healthy') expect(compose.services[other]?.healthcheck).toBeDefined();
    }
  });

  test.each(services)('%s keeps its state in declared volumes', (_name, service) => {
    for (const volume of service.volumes) expect(compose.volumes).toHaveProperty(volume.split(':')[0] ?? '');
  });

  test('runs the service and what we build as an ordinary user', () => {
    for (const [name, service] of services) {
      if (service.image?.startsWith('sallyport:')) expect(service.user, name).toBe('node');
    }
    expect(read('Dockerfile')).toMatch(/^USER node$/m);
  });

  test('sets only variables that the service knows', () => {
    const known = new Set(
      [...read('src/config.ts').matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map(([, name]) => name),
    );
    expect(known.size).toBeGreaterThan(20);
    const own = Object.keys(sallyport.environment).filter((name) => !name.startsWith('AWS_'));
    expect(own.filter((name) => !known.has(name))).toEqual([]);
  });

  test('sends the events of the S3 server to the service, with the token that it expects', () => {
    const url = compose.services['s3']?.environment['VGW_EVENT_WEBHOOK_URL'];
    const token = sallyport.environment['EVENTS_TOKEN'];
    expect(token).toMatch(/^\$\{EVENTS_TOKEN:\?/);
    expect(url).toBe(`http://sallyport:${sallyport.environment['PORT']}/events/s3/${token}`);
    expect(sallyport.environment['ALLOWED_HOSTS']?.split(',')).toContain('sallyport');
  });

  test('has no secret of its own: each is required from outside', () => {
    for (const [name, service] of services) {
      for (const [variable, value] of Object.entries(service.environment)) {
        if (!/PASSWORD|SECRET|TOKEN|_KEY(_ID)?$/.test(variable)) continue;
        expect(value, `${name}.${variable}`).toMatch(/^\$\{[A-Z_0-9]+:\?.+\}$/);
      }
    }
  });

  test('gets every required variable from deploy/make-env.sh, different each time and as the service wants it', () => {
    const make = (): Map<string, string> => {
      const printed = execFileSync(
        'sh',
        [fileURLToPath(new URL('../../deploy/make-env.sh', import.meta.url))],
        {
          encoding: 'utf8',
        },
      );
      const lines = printed.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      return new Map(
        lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
    };
    const [first, second] = [make(), make()];
    const required = new Set([...text.matchAll(/\$\{([A-Z_0-9]+):\?/g)].map(([, name]) => name));
    expect(new Set(first.keys())).toEqual(required);
    for (const [name, value] of first) expect(value, name).not.toBe(second.get(name));
    expect(Buffer.from(first.get('SALLYPORT_KEY') ?? '', 'base64')).toHaveLength(32);
    // It stands in a URL as it is.
    expect(first.get('POSTGRES_PASSWORD')).toMatch(/^[0-9a-f]{48}$/);
  });
});

describe('the Dockerfile', () => {
  const lines = read('Dockerfile').split('\n');

  test('builds on Node 24 in stages and keeps development packages out of the last', () => {
    const stages = lines.filter((line) => line.startsWith('FROM '));
    expect(stages).toHaveLength(3);
    for (const stage of stages) expect(stage).toMatch(/^FROM node:24-bookworm-slim\b/);
    expect(lines).toContain('RUN npm ci --omit=dev');
  });

  test('has a health check and takes in no secret', () => {
    expect(lines.some((line) => line.startsWith('HEALTHCHECK '))).toBe(true);
    expect(lines.filter((line) => /PASSWORD|SECRET|TOKEN|SALLYPORT_KEY=/i.test(line))).toEqual([]);
  });

  test('copies only what exists and what .dockerignore lets through', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
      .flatMap((line) => line.split(/\s+/).slice(1, -1));
    for (const source of sources.filter((path) => path !== '.')) {
      expect(existsSync(new URL(`../../${source}`, import.meta.url)), source).toBe(true);
      expect(
        allowed.some((path) => source === path || source.startsWith(`${path}/`)),
        source,
      ).toBe(true);
    }
  });
});
