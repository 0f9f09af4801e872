/** Style of the page: the colours of the web pages, one column, readable in light, dark and print. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#16202a;--soft:#526170;--line:#d8dfe4;--paper:#fff;--ground:#f4f6f7;--accent:#0f766e;--good:#15803d;--warn:#a35200;--bad:#c01f2f;--idle:#5b6875}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf2;--soft:#98a8b5;--line:#2b3741;--paper:#12171c;--ground:#0b0f13;--accent:#2dd4bf;--good:#4ade80;--warn:#f5b14c;--bad:#ff8088;--idle:#8b9aa7}}
*{box-sizing:border-box}html{scroll-padding-top:1rem}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}
.skip{position:absolute;left:-9999px}.skip:focus{left:1rem;top:.5rem;background:var(--paper);padding:.4rem .8rem;z-index:1}
main{max-width:66rem;margin:0 auto;padding:2rem clamp(1rem,4vw,2.5rem) 4rem;background:var(--paper)}
a{color:var(--accent);text-underline-offset:3px}:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem;letter-spacing:-.01em}
h2{font-size:1.25rem;margin:0 0 .2rem}h3{font-size:1rem;margin:1.6rem 0 .4rem}
p{margin:.5rem 0;overflow-wrap:anywhere}.soft{color:var(--soft)}.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.verdict{margin:1.3rem 0 1rem;padding:.9rem 1.1rem;border:1px solid var(--line);border-left:5px solid var(--good);border-radius:10px;font-size:1.12rem}
.verdict.no{border-left-color:var(--bad)}.verdict p{margin:.15rem 0}.verdict p:first-child{font-weight:650}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.7rem;margin:0 0 1.2rem;padding:0}
.numbers div{border:1px solid var(--line);border-radius:10px;padding:.7rem .9rem;overflow-wrap:anywhere}
.numbers dt{color:var(--soft);font-size:.86rem}.numbers dd{margin:0}.numbers .value{font-size:1.7rem;font-weight:650;line-height:1.2;font-variant-numeric:tabular-nums}
.numbers .note{color:var(--soft);font-size:.86rem}
.needs{margin:.3rem 0 1.2rem;padding-left:1.3rem;overflow-wrap:anywhere}.needs li{margin:.25rem 0}
nav ol{columns:3 12rem;padding-left:1.3rem;margin:.4rem 0}
section{margin-top:2.2rem;padding-top:1.2rem;border-top:1px solid var(--line)}
.speaks{color:var(--soft);font-size:.86rem;margin:0 0 .8rem}
.equation{margin:.8rem 0;padding:.7rem 1rem;border:1px solid var(--line);border-left:4px solid var(--good);border-radius:10px;overflow-wrap:anywhere}
.equation.no{border-left-color:var(--bad)}.equation .name{display:block;color:var(--soft);font-size:.86rem}.equation b{font-weight:650;font-variant-numeric:tabular-nums}
.equation .result{display:inline-block;margin-left:.6rem;font-weight:650}
.wide{overflow-x:auto;margin:1.3rem 0}.wide:focus-visible{outline-offset:0}
table{width:100%;min-width:44rem;table-layout:fixed;border-collapse:collapse;font-size:.9rem}caption{text-align:left;font-weight:650;padding-bottom:.35rem;overflow-wrap:anywhere}
th,td{text-align:left;vertical-align:top;padding:.4rem .8rem .4rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere;unicode-bidi:isolate}
thead th{color:var(--soft);font-weight:600;vertical-align:bottom;overflow-wrap:normal}tbody th{font-weight:400}
.n{text-align:right;font-variant-numeric:tabular-nums}td:last-child,th:last-child{padding-right:0}
td span,th span{display:block;unicode-bidi:isolate}.strong{font-weight:650}code{font-family:ui-monospace,'Cascadia Code','SF Mono',Menlo,Consolas,monospace;font-size:.88em;overflow-wrap:anywhere}
.share{display:block;height:.75em;margin-top:.35em;min-width:1px;background:var(--accent);border-radius:3px}
dl.facts{display:grid;grid-template-columns:minmax(9rem,14rem) 1fr;margin:.8rem 0;font-size:.93rem}
dl.facts dt{color:var(--soft);padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line)}dl.facts dd{margin:0;padding:.35rem 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}dl.facts dd span{display:block}
figure{margin:1.2rem 0 .4rem}figcaption{font-weight:650;font-size:.9rem;margin-bottom:.5rem}
.chart{display:block;width:100%;height:auto}.chart text{font:11px system-ui,sans-serif}
.f-ink{fill:var(--ink)}.f-soft{fill:var(--soft)}.f-line{fill:var(--line)}.f-accent{fill:var(--accent)}.f-good{fill:var(--good)}.f-warn{fill:var(--warn)}.f-bad{fill:var(--bad)}.f-idle{fill:var(--idle)}
.s-accent{fill:none;stroke:var(--accent);stroke-width:2}
footer{margin-top:2.5rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.86rem}
@media (max-width:40rem){dl.facts{grid-template-columns:1fr}dl.facts dt{border:0;padding-bottom:0}}
@media print{table{min-width:0}:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;--ground:#fff;--accent:#0f766e;--good:#15803d;--warn:#a35200;--bad:#c01f2f;--idle:#5b6875}
body{font-size:9.5pt}main{max-width:none;padding:0}.skip{display:none}.wide{overflow:visible}.numbers{grid-template-columns:repeat(5,1fr)}
h2,h3,caption,figcaption{break-after:avoid}tr,.equation,figure,.numbers,.verdict{break-inside:avoid}thead{display:table-header-group}
.share,.chart *{print-color-adjust:exact;-webkit-print-color-adjust:exact}a{color:inherit;text-decoration:none}
@page{size:A4;margin:16mm 14mm}}`;
