import { PayloadGone, PayloadStore } from './payload-store.js';

/** For tests and for trying the engine without a database. */
export class MemoryPayloadStore extends PayloadStore {
  readonly name = 'memory';
  private readonly texts = new Map<string, string>();

  async put(key: string, text: string): Promise<void> {
    this.texts.set(key, text);
  }

  async get(key: string): Promise<string> {
    const text = this.texts.get(key);
    if (text === undefined) throw new PayloadGone(key);
    return text;
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.texts.delete(key);
  }

  get keys(): readonly string[] {
    return [...this.texts.keys()];
  }
}
