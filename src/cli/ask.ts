import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

/** Puts a question to whoever sits at the terminal. */
export async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

/** The same for what nobody may read over a shoulder: nothing of the answer is shown, and nothing kept in a history. */
export async function askSecret(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({
    input: process.stdin,
    output: nowhere,
    terminal: true,
    historySize: 0,
  });
  // After the terminal was taken: who answers the moment the question stands would see it echoed otherwise.
  process.stderr.write(question);
  try {
    return await terminal.question('');
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}

// Far more than all tokens together.
const MAX_INPUT_BYTES = 16_384;

/** What is piped in, as far as anybody needs it. */
export async function pipedIn(): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > MAX_INPUT_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_INPUT_BYTES).toString('utf8');
}
