import { alphabets as a, randomText } from '../support/tokens.js';

/** A kind of file that secrets turn up in. `write` puts `secret` into it once and as it is. */
export interface Host {
  readonly path: string;
  readonly write: (name: string, secret: string, noise: Noise) => string;
}

/** What stands around secrets and is none: numbers that look just as random. */
export class Noise {
  #count: number;
  constructor(seed: number) {
    this.#count = seed * 4099;
  }
  text(alphabet: string, length: number): string {
    return randomText(alphabet, length, ++this.#count);
  }
  get sha(): string {
    return this.text(a.hex, 40);
  }
  get uuid(): string {
    return [8, 4, 4, 4, 12].map((length) => this.text(a.hex, length)).join('-');
  }
  get integrity(): string {
    return `sha512-${this.text(a.base64, 86)}==`;
  }
  get image(): string {
    return `data:image/png;base64,iVBORw0KGgo${this.text(a.base64, 400)}`;
  }
}

const camel = (name: string): string =>
  name.toLowerCase().replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

export const hosts: readonly Host[] = [
  {
    path: 'src/client.ts',
    write: (name, secret, noise) => `import { Client } from './client.js';
// Built from ${noise.sha}.
const requestId = '${noise.uuid}';
export const ${camel(name)} = '${secret}';
export const client = new Client({ ${camel(name)}, requestId, logo: '${noise.image}' });
const fromOutside = process.env.${name} ?? '<your-token-here>';
`,
  },
  {
    path: 'app/settings.py',
    write: (name, secret, noise) => `import os
REVISION = "${noise.sha}"
DEBUG = os.environ.get("DEBUG", "false")
${name} = "${secret}"
CACHE_KEY = f"session:{REVISION}:${noise.uuid}"
PASSWORD = os.environ["PASSWORD"]
`,
  },
  {
    path: 'cmd/main.go',
    write: (name, secret, noise) => `package main

const revision = "${noise.sha}"

func connect() *Client {
	${camel(name)} := "${secret}"
	return New(${camel(name)}, WithTrace("${noise.uuid}"), WithToken(os.Getenv("TOKEN")))
}
`,
  },
  {
    path: 'src/main/java/App.java',
    write: (name, secret, noise) => `public final class App {
  private static final String ${name} = "${secret}";
  private static final long serialVersionUID = ${noise.text('123456789', 18)}L;
  static final String BUILD = "${noise.sha}";
}
`,
  },
  {
    path: 'deploy.sh',
    write: (name, secret, noise) => `#!/bin/sh
set -eu
export ${name}=${secret}
git checkout ${noise.sha}
curl -fsS -H "Authorization: Bearer $TOKEN" https://api.internal/builds/${noise.uuid}
`,
  },
  {
    path: '.env',
    write: (name, secret, noise) => `NODE_ENV=production
RELEASE=${noise.sha}
${name}=${secret}
SESSION_NAME=web
SECRET_TO_SET=
`,
  },
  {
    path: 'k8s/values.yaml',
    write: (name, secret, noise) => `image:
  digest: sha256:${noise.text(a.hex, 64)}
env:
  - name: ${name}
    value: "${secret}"
  - name: PASSWORD
    valueFrom: { secretKeyRef: { name: app, key: password } }
config:
  ${name.toLowerCase()}_id: ${noise.uuid}
`,
  },
  {
    path: 'config/app.json',
    write: (name, secret, noise) => `{
  "version": "${noise.sha}",
  "integrity": "${noise.integrity}",
  "settings": { "${name.toLowerCase()}": "${secret}", "tokenId": "${noise.uuid}" }
}
`,
  },
  {
    path: 'logs/app.ndjson',
    write: (name, secret, noise) =>
      [
        `{"level":"info","time":1767225600123,"req":{"id":"${noise.uuid}"},"msg":"request completed"}`,
        `{"level":"error","time":1767225600456,"trace":"${noise.text(a.hex, 32)}","msg":"upstream refused","config":{"${name}":"${secret}","retries":3}}`,
        `{"level":"info","etag":"${noise.text(a.hex, 32)}","sha256":"${noise.text(a.hex, 64)}"}`,
      ].join('\n'),
  },
  {
    path: 'analysis.ipynb',
    write: (name, secret, noise) =>
      JSON.stringify({
        cells: [
          {
            cell_type: 'code',
            id: noise.uuid,
            source: ['import os\n', `os.environ["${name}"] = "${secret}"\n`, 'run()'],
            outputs: [{ data: { 'image/png': noise.image } }],
          },
        ],
        nbformat: 4,
      }),
  },
  {
    path: 'session.har',
    write: (name, secret, noise) =>
      JSON.stringify({
        log: {
          entries: [
            {
              request: {
                url: `https://api.internal/v1/items/${noise.uuid}`,
                headers: [
                  { name: 'x-request-id', value: noise.uuid },
                  { name: 'cookie', value: `theme=dark; sid=${noise.sha}` },
                ],
                postData: { text: `{"${name.toLowerCase()}":"${secret}"}`.replaceAll('"', "'") },
              },
              response: { content: { text: noise.text(a.base64, 300), encoding: 'base64' } },
            },
          ],
        },
      }),
  },
  {
    path: 'capture.txt',
    write: (name, secret, noise) => `12:01:03.123456 IP 10.0.0.4.51324 > 10.0.0.9.80: Flags [P.], length 311
E..7..@.@.....$.....POST /v1/hooks HTTP/1.1
Host: api.internal
X-Request-Id: ${noise.uuid}
X-${name.toLowerCase().replaceAll('_', '-')}: ${secret}
Content-Length: 0

12:01:03.124001 IP 10.0.0.9.80 > 10.0.0.4.51324: Flags [.], ack ${noise.text(a.digits, 9)}
`,
  },
  {
    path: 'infra/main.tf',
    write: (name, secret, noise) => `resource "app_service" "web" {
  revision = "${noise.sha}"
  environment = {
    ${name} = "${secret}"
    PASSWORD = var.password
  }
}
`,
  },
];
