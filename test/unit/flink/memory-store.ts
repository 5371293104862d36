import type { StateStore } from "../../../jobs/flink/types.ts";
import { parseUrl, type StoredObject } from "../../../jobs/store/index.ts";

/** Objects in memory that list as S3 does: by the bytes of their keys, in pages. */
export class MemoryStore implements StateStore {
  readonly objects = new Map<string, StoredObject>();
  readonly #page: number;
  pages = 0;

  constructor(urls: Readonly<Record<string, string>> = {}, page = 3) {
    this.#page = page;
    for (const [url, at] of Object.entries(urls)) this.put(url, at);
  }

  put(url: string, at = "2026-11-24T09:00:00Z", bytes = 10): void {
    this.objects.set(url, { url, at: new Date(at), bytes });
  }

  readonly page: StateStore["page"] = async (prefix, after) => {
    this.pages++;
    await Promise.resolve();
    const { bucket, key } = parseUrl(prefix);
    const from = after === undefined ? "" : parseUrl(after).key;
    const found = [...this.objects.values()]
      .filter(({ url }) => parseUrl(url).bucket === bucket && parseUrl(url).key.startsWith(key))
      .filter(({ url }) => Buffer.compare(Buffer.from(parseUrl(url).key), Buffer.from(from)) > 0)
      .sort((one, other) => Buffer.compare(Buffer.from(one.url), Buffer.from(other.url)));
    return { objects: found.slice(0, this.#page), more: found.length > this.#page };
  };

  readonly remove: StateStore["remove"] = async (urls) => {
    await Promise.resolve();
    for (const url of urls) this.objects.delete(url);
  };

  get left(): readonly string[] {
    return [...this.objects.keys()].sort();
  }
}
