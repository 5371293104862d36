import { type LabStore, labStore } from "../../lab/store.ts";
import type { CountedFile } from "./counts.ts";

const decoder = new TextDecoder();

/** Flink hides what is not committed yet, and its own bookkeeping, behind these. */
const hidden = (key: string): boolean => key.split("/").some((part) => /^[._]/.test(part));

/** Keys of the committed files under a location, `s3://bucket/folder/`, in the lab's S3 store. */
export async function committedKeys(store: LabStore, location: string): Promise<string[]> {
  const { hostname, pathname } = new URL(location);
  return (await store.list(hostname, pathname.slice(1))).filter((key) => !hidden(key));
}

/** The committed files themselves. */
export async function readCounted(location: string): Promise<CountedFile[]> {
  const { hostname } = new URL(location);
  const store = await labStore();
  return await Promise.all(
    (await committedKeys(store, location)).map(async (key) => ({
      name: `s3://${hostname}/${key}`,
      text: decoder.decode(await store.bytes(hostname, key)),
    })),
  );
}
