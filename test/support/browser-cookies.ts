/** Walks through redirects as a browser does, with its cookies; one origin's cookies go to no other port here. */
export class CookieBrowser {
  private readonly cookies = new Map<string, Map<string, string>>();

  /** One request; a redirect is not followed. */
  async get(url: string): Promise<Response> {
    const { origin } = new URL(url);
    const jar = this.cookies.get(origin) ?? new Map<string, string>();
    this.cookies.set(origin, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      const isGone = /expires=Thu, 01 Jan 1970/i.test(line) || /max-age=0/i.test(line);
      if (isGone) jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  /** Goes on until an address that `until` names, which is not asked for, or an answer that leads nowhere. */
  async follow(url: string, until: (url: URL) => boolean): Promise<string> {
    let at = url;
    for (let hop = 0; hop < 20; hop++) {
      if (until(new URL(at))) return at;
      const response = await this.get(at);
      const location = response.headers.get('location');
      if (location === null) throw new Error(`${at} answered ${response.status}: ${await response.text()}`);
      at = new URL(location, at).href;
    }
    throw new Error(`redirects without end, at ${at}`);
  }

  cookie(origin: string, name: string): string | undefined {
    return this.cookies.get(origin)?.get(name);
  }

  plant(origin: string, name: string, value: string): void {
    const jar = this.cookies.get(origin) ?? new Map<string, string>();
    this.cookies.set(origin, jar.set(name, value));
  }
}
