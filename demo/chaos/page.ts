import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';

/** What the page shows; served by the demonstration itself, so that it stays while the service is killed. */
export interface Shown {
  readonly files: number;
  readonly uploaded: number;
  readonly verdicts: number;
  readonly serviceKills: number;
  readonly databaseKills: number;
  readonly isUp: boolean;
  /** Empty until all is added up. */
  readonly outcome: string;
  readonly holds: boolean | undefined;
  readonly seconds: number;
}

export interface Page {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the page on a free port of the loopback interface. */
export async function servePage(state: () => Shown): Promise<Page> {
  const server = createServer((request, response) => {
    const isState = request.url === '/state';
    response.writeHead(200, {
      'content-type': isState ? 'application/json' : 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
    });
    response.end(isState ? JSON.stringify(state()) : HTML);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const HTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sallyport under kill -9</title>
<style>
  :root { color-scheme: light dark; --line: #d4d8de; --faint: #5a6472; --bar: #1f6feb; --done: #1a7f37; --bad: #cf222e; --back: #fff; --text: #1c2128; }
  @media (prefers-color-scheme: dark) { :root { --line: #363c45; --faint: #9aa4b2; --bar: #4c8dff; --done: #3fb950; --bad: #f85149; --back: #14171c; --text: #e6eaf0; } }
  body { font: 16px/1.5 system-ui, sans-serif; background: var(--back); color: var(--text); max-width: 44rem; margin: 3rem auto; padding: 0 1.5rem; }
  h1 { font-size: 1.4rem; margin: 0 0 .25rem; } p { color: var(--faint); margin: 0 0 2rem; }
  .row { display: grid; grid-template-columns: 7rem 1fr 6.5rem; gap: 1rem; align-items: center; margin: .75rem 0; }
  .row output { text-align: right; font-variant-numeric: tabular-nums; }
  progress { appearance: none; width: 100%; height: .75rem; border: 0; border-radius: 6px; background: var(--line); overflow: hidden; }
  progress::-webkit-progress-bar { background: var(--line); } progress::-webkit-progress-value { background: var(--bar); transition: width .2s; } progress::-moz-progress-bar { background: var(--bar); }
  dl { display: flex; flex-wrap: wrap; gap: 2.5rem; margin: 2rem 0; border-top: 1px solid var(--line); padding-top: 1.25rem; }
  dt { color: var(--faint); font-size: .85rem; } dd { margin: 0; font-size: 1.6rem; font-variant-numeric: tabular-nums; }
  #outcome { font-size: 1.15rem; font-weight: 600; min-height: 2rem; } #outcome.holds { color: var(--done); } #outcome.broken { color: var(--bad); }
  .down { color: var(--bad); }
</style>
<h1>Sallyport under kill -9</h1>
<p>Files are uploaded while the service and its PostgreSQL are killed. This page is not the service's: it stays.</p>
<div class="row"><span id="l1">Uploaded</span><progress id="uploaded" aria-labelledby="l1"></progress><output id="uploadedText"></output></div>
<div class="row"><span id="l2">Verdicts</span><progress id="verdicts" aria-labelledby="l2"></progress><output id="verdictsText"></output></div>
<dl>
  <div><dt>Service killed</dt><dd id="serviceKills">0</dd></div>
  <div><dt>PostgreSQL killed</dt><dd id="databaseKills">0</dd></div>
  <div><dt>The service is</dt><dd id="up"></dd></div>
  <div><dt>Seconds</dt><dd id="seconds">0</dd></div>
</dl>
<div id="outcome" role="status"></div>
<script>
  const set = (id, text) => { const at = document.getElementById(id); if (at.textContent !== String(text)) at.textContent = text; };
  const look = async () => {
    try {
      const s = await (await fetch('/state')).json();
      for (const name of ['uploaded', 'verdicts']) {
        const bar = document.getElementById(name);
        bar.max = s.files; bar.value = s[name];
        set(name + 'Text', s[name] + ' of ' + s.files);
      }
      set('serviceKills', s.serviceKills); set('databaseKills', s.databaseKills); set('seconds', s.seconds);
      set('up', s.isUp ? 'up' : 'down'); document.getElementById('up').className = s.isUp ? '' : 'down';
      set('outcome', s.outcome); document.getElementById('outcome').className = s.holds === undefined ? '' : s.holds ? 'holds' : 'broken';
      if (s.holds === undefined) setTimeout(look, 250);
    } catch { set('outcome', document.getElementById('outcome').textContent || 'The demonstration has ended.'); }
  };
  look();
</script>
</html>`;
