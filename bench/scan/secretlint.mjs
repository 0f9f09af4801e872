// secretlint over a file, in pieces: it takes a text whole, and gets slower with its length. Run beside its packages.
import { readFileSync } from 'node:fs';
import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';

const PIECE = 100_000;
const text = readFileSync(process.argv[2], 'latin1');
const config = {
  rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator, options: {} }],
};
let found = 0;
for (let at = 0; at < text.length; at += PIECE) {
  const source = {
    content: text.slice(at, at + PIECE),
    filePath: 'corpus.txt',
    ext: '.txt',
    contentType: 'text',
  };
  const { messages } = await lintSource({ source, options: { config } });
  found += messages.length;
}
process.stdout.write(`${found}\n`);
