/** Style of the pages behind mail and Slack links: one column, readable in light and dark, no script, no image. */
export const PAGE_CSS = `
:root{color-scheme:light dark;--bg:#f2f4f7;--card:#fff;--ink:#1c2430;--muted:#566273;--line:#d9dfe6;--accent:#20508f;
--ok:#17664a;--bad:#a8322a;--calm:#41526b;--okbg:#e4f3ec;--badbg:#fbe9e7;--infobg:#e8eef6}
@media (prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1b212a;--ink:#e8ecf1;--muted:#a3afbf;--line:#353f4d;
--accent:#8ab4f0;--ok:#1f7d5b;--bad:#bf4137;--calm:#52657f;--okbg:#16322a;--badbg:#3c1f1d;--infobg:#202c3b}}
*{box-sizing:border-box}
body{margin:0;padding:24px 12px;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}
main{max-width:680px;margin:0 auto;padding:28px clamp(16px,5vw,36px);background:var(--card);border:1px solid var(--line);border-radius:12px}
h1{margin:.1em 0 .1em;font-size:1.5rem;line-height:1.25}h2{margin:1.6em 0 .5em;font-size:1.05rem}
p{margin:.5em 0}.muted{color:var(--muted);font-size:.9rem}.foot{margin-top:1.8em}
a{color:var(--accent)}
code,.name{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.9em;overflow-wrap:anywhere}
.name{margin:0 0 1.1em}
dl{margin:1em 0 0}dl div{display:grid;grid-template-columns:8.5em 1fr;gap:0 12px;padding:6px 0;border-top:1px solid var(--line)}
dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}
.findings{list-style:none;margin:0;padding:0}.findings li{padding:9px 0;border-top:1px solid var(--line);overflow-wrap:anywhere}
.where{display:block;color:var(--muted);font-size:.9rem}.excerpt{display:block;margin-top:3px;padding:4px 8px;border-radius:6px;background:var(--bg)}
.chip{display:inline-block;padding:0 8px;border-radius:99px;color:#fff;background:var(--calm);font-size:.8rem;font-weight:600}
.chip.critical,.chip.high{background:var(--bad)}
.notice{padding:11px 14px;border-radius:8px;background:var(--infobg);overflow-wrap:anywhere}.notice.done{background:var(--okbg)}.notice.error{background:var(--badbg)}
label{display:block;margin:1em 0 .3em;font-weight:600}
textarea,input[type=text]{width:100%;padding:10px 12px;border:1px solid var(--muted);border-radius:8px;background:var(--bg);color:inherit;font:inherit}
input[type=text]{max-width:13em;font:600 1.15rem ui-monospace,Menlo,Consolas,monospace;letter-spacing:.08em}
input[aria-invalid=true],textarea[aria-invalid=true]{border:2px solid var(--bad)}
.choices{display:flex;flex-wrap:wrap;gap:6px 20px;margin-top:1.3em}.choices>div{flex:1 1 200px}
button{width:100%;min-height:44px;padding:10px 20px;border:0;border-radius:8px;color:#fff;background:var(--calm);font:600 1rem system-ui,sans-serif;cursor:pointer}
button.primary{background:var(--ok)}button.danger{background:var(--bad)}
button.quiet{width:auto;margin-top:.6em;color:inherit;background:none;border:1px solid var(--muted)}
button:focus-visible,a:focus-visible,textarea:focus-visible,input:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media (max-width:480px){dl div{grid-template-columns:1fr}}
`;
