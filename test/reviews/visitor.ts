import type { NestFastifyApplication } from '@nestjs/platform-fastify';

export const HOST = { host: '127.0.0.1:8080' };

/** A browser as far as these pages need one: cookies, redirects, the form's hidden fields. */
export class Visitor {
  private cookies = new Map<string, string>();
  constructor(private readonly app: NestFastifyApplication) {}

  async get(path: string) {
    const answer = await this.app.inject({
      method: 'GET',
      url: path,
      headers: { ...HOST, cookie: this.cookie() },
    });
    this.keep(answer.headers['set-cookie']);
    return answer;
  }

  async post(path: string, form: Record<string, string>, headers: Record<string, string> = {}) {
    return this.app.inject({
      method: 'POST',
      url: path,
      headers: {
        ...HOST,
        cookie: this.cookie(),
        origin: 'http://127.0.0.1:8080',
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
        ...headers,
      },
      payload: new URLSearchParams(form).toString(),
    });
  }

  /** Follows the mail's link to the page. */
  async open(link: string) {
    const redirect = await this.get(new URL(link).pathname);
    const path = String(redirect.headers['location']);
    const page = await this.get(path);
    const hidden = Object.fromEntries(
      [...page.body.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    ) as Record<string, string>;
    return { redirect, path, page, hidden };
  }

  private cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
  private keep(header: string | string[] | undefined): void {
    for (const line of [header ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.cookies.set(name, value);
    }
  }
}
