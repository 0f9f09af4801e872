/** A browser as far as these pages need one: it keeps cookies and follows nothing by itself. */
export class FormBrowser {
  private readonly cookies = new Map<string, string>();
  constructor(private readonly origin: string) {}

  async get(path: string): Promise<{ status: number; location: string; html: string }> {
    return this.send(path, { method: 'GET' });
  }

  async post(path: string, form: Record<string, string>): Promise<{ status: number; html: string }> {
    return this.send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    });
  }

  async logIn(credentials: { name: string; password: string }): Promise<void> {
    const { status } = await this.send('/api/v1/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(credentials),
    });
    if (status !== 200) throw new Error(`the login answered ${status}`);
  }

  /** As the pages' own scripts call the API. */
  call(method: string, path: string, body: unknown): Promise<{ status: number; html: string }> {
    return this.send(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  private async send(path: string, init: RequestInit) {
    const response = await fetch(new URL(path, this.origin), {
      ...init,
      redirect: 'manual',
      headers: {
        ...(init.headers as Record<string, string> | undefined),
        origin: this.origin,
        'sec-fetch-site': 'same-origin',
        cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      this.cookies.set(name, value);
    }
    const { status, headers } = response;
    return { status, location: headers.get('location') ?? '', html: await response.text() };
  }
}

/** What a page's form sends along without being seen. */
export const hiddenFields = (html: string): Record<string, string> =>
  Object.fromEntries(
    [...html.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
