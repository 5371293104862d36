import { labStore } from "../../lab/store.ts";
import type { CountedFile } from "./counts.ts";

const decoder = new TextDecoder();

/** Flink hides what is not committed yet, and its own bookkeeping, behind these. */
const hidden = (key: string): boolean => key.split("/").some((part) => /^[._]/.test(part));

/**
 * The committed files under a location in the lab's S3 store.
 * @param location `s3://bucket/folder/`
 */
export async function readCounted(location: string): Promise<CountedFile[]> {
  const { hostname, pathname } = new URL(location);
  const store = await labStore();
  const keys = (await store.list(hostname, pathname.slice(1))).filter((key) => !hidden(key));
  return await Promise.all(
    keys.map(async (key) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of store.read(hostname, key)) pieces.push(piece);
      return { name: `s3://${hostname}/${key}`, text: decoder.decode(Buffer.concat(pieces)) };
    }),
  );
}
