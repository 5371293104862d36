// The lab's S3 store as a person at the keyboard uses it: put, list, read, remove.
import { openS3 } from "../base/s3.ts";
import type { Connection } from "../schema/connection.ts";
import { readConnection } from "./connection.ts";
import { labPaths } from "./paths.ts";

/** The few operations that examples, the demo and `mayfly lab s3` need. */
export interface LabStore {
  /** Keys under a prefix, sorted. */
  readonly list: (bucket: string, prefix: string) => Promise<readonly string[]>;
  readonly put: (bucket: string, key: string, body: Buffer) => Promise<void>;
  /** An object's bytes, piece by piece. */
  readonly read: (bucket: string, key: string) => AsyncIterable<Uint8Array>;
  /** All of them at once. */
  readonly bytes: (bucket: string, key: string) => Promise<Buffer>;
  readonly remove: (bucket: string, key: string) => Promise<void>;
  /** Removes all objects under a prefix. @returns How many there were. */
  readonly clear: (bucket: string, prefix: string) => Promise<number>;
}

/** How this machine reaches the lab. @throws UserError `lab-missing` */
export const labConnection = (): Connection => readConnection(labPaths());

/** Opens the lab's S3 store with the helper's credentials. @throws UserError `lab-missing` */
export async function labStore(): Promise<LabStore> {
  const { s3 } = labConnection();
  const [client, { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand }] =
    await Promise.all([openS3(s3), import("@aws-sdk/client-s3")]);
  const store: LabStore = {
    async list(Bucket, Prefix) {
      const keys: string[] = [];
      let ContinuationToken: string | undefined;
      do {
        const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken }));
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) keys.push(Key);
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken !== undefined);
      return keys.sort();
    },
    async put(Bucket, Key, Body) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body }));
    },
    async *read(Bucket, Key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      if (Body !== undefined) yield* Body.transformToWebStream();
    },
    async bytes(bucket, key) {
      const pieces: Uint8Array[] = [];
      for await (const piece of store.read(bucket, key)) pieces.push(piece);
      return Buffer.concat(pieces);
    },
    async remove(Bucket, Key) {
      await client.send(new DeleteObjectCommand({ Bucket, Key }));
    },
    async clear(bucket, prefix) {
      const keys = await store.list(bucket, prefix);
      for (const key of keys) await store.remove(bucket, key);
      return keys.length;
    },
  };
  return store;
}
