import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What is scanned, by kind. */
export const KINDS = ['source', 'json', 'logs'] as const;
export type Kind = (typeof KINDS)[number];

const TEXT = /\.(?:[cm]?[jt]s|tsx|json|md|css|html)$/;
const LARGEST_FILE = 2_000_000;

/** Text of published packages: what is installed beside this program, in the order of its paths. */
export function sourceText(folder: string, bytes: number): Buffer {
  const parts: Buffer[] = [];
  let total = 0;
  const walk = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      if (total >= bytes) return;
      const inner = join(path, entry.name);
      if (entry.isDirectory()) walk(inner);
      else if (entry.isFile() && TEXT.test(entry.name) && statSync(inner).size < LARGEST_FILE) {
        const content = readFileSync(inner);
        parts.push(content, Buffer.from('\n'));
        total += content.length + 1;
      }
    }
  };
  walk(folder);
  return Buffer.concat(parts).subarray(0, bytes);
}

const WORDS =
  'order shipped café invoice customer token status pending retry worker queue region bucket object verdict'.split(
    ' ',
  );

/** JSON lines of an order system: identifiers, times, words, a digest, a URL with a percent-encoded query. */
export function jsonLines(bytes: number): Buffer {
  const next = pseudoRandom(1);
  return lines(bytes, () =>
    JSON.stringify({
      id: next(1e9),
      at: time(next),
      user: `u${next(1e6)}@example.org`,
      text: Array.from({ length: 12 }, () => wordOf(next)).join(' '),
      digest: Array.from({ length: 5 }, () =>
        next(2 ** 31)
          .toString(16)
          .padStart(8, '0'),
      ).join(''),
      items: [next(10), next(1000), next(1e6)],
      url: `https://shop.example/p/${next(1e6)}?q=${wordOf(next)}%20${wordOf(next)}&page=${next(99)}`,
    }),
  );
}

/** Logs of a web service. */
export function logLines(bytes: number): Buffer {
  const next = pseudoRandom(2);
  return lines(
    bytes,
    () =>
      `${time(next)} INFO [worker-${next(16)}] com.example.${wordOf(next)}.Service - request ${next(2 ** 31).toString(16)} ` +
      `GET /api/v1/${wordOf(next)}/${next(1e6)} ${next(500)} in ${next(2000)} ms from 10.${next(255)}.${next(255)}.${next(255)}`,
  );
}

export function corpusOf(kind: Kind, packages: string, bytes: number): Buffer {
  switch (kind) {
    case 'source':
      return sourceText(packages, bytes);
    case 'json':
      return jsonLines(bytes);
    case 'logs':
      return logLines(bytes);
    default:
      return kind satisfies never;
  }
}

function lines(bytes: number, line: () => string): Buffer {
  const parts: Buffer[] = [];
  for (let total = 0; total < bytes; total += parts.at(-1)?.length ?? 0)
    parts.push(Buffer.from(`${line()}\n`));
  return Buffer.concat(parts).subarray(0, bytes);
}

const time = (next: (below: number) => number): string => new Date(1.7e12 + next(1e9)).toISOString();
const wordOf = (next: (below: number) => number): string => WORDS[next(WORDS.length)] ?? '';

/** The same numbers in every run: the generator of Park and Miller. */
function pseudoRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => (state = (state * 48_271) % 2_147_483_647) % below;
}
