// The helper's own access to S3: are inputs there, put logs and reports, read them again. Tenants' code has its own.
import type { Readable } from "node:stream";
import { openS3 } from "../../base/s3.ts";
import type { Connection } from "../../schema/connection.ts";
import { storeError, storeErrorKind } from "./errors.ts";

/** Every function throws UserError `s3-missing`, `s3-denied`, `s3-unreachable` or `s3-failed`; `url` is `s3://bucket/key`. */
export interface ObjectStore {
  /** Those of `urls` that do not exist. */
  readonly missing: (urls: readonly string[]) => Promise<readonly string[]>;
  /** Puts text of known size. */
  readonly put: (url: string, body: string, contentType: string) => Promise<void>;
  /** Puts a stream of unknown size, in parts; never holds more than a few MiB. */
  readonly putStream: (url: string, body: Readable) => Promise<void>;
  /** URLs below `prefix` (`s3://bucket/folder/`), in the store's order. */
  readonly list: (prefix: string) => Promise<readonly string[]>;
  readonly get: (url: string) => Promise<Readable>;
  readonly close: () => void;
}

/** `s3://bucket/key` in its parts; the key may be empty. */
export function parseUrl(url: string): { readonly bucket: string; readonly key: string } {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(url);
  return { bucket: match?.[1] ?? "", key: match?.[2] ?? "" };
}

const PART_BYTES = 5 * 1024 * 1024;

/** Opens the store with the helper's own profile. Loads the SDK; talks to nobody yet. */
export async function openStore(address: Connection["s3"]): Promise<ObjectStore> {
  const [client, { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand }] =
    await Promise.all([openS3(address), import("@aws-sdk/client-s3")]);
  const guarded = async <T>(url: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeError(url, address, error);
    }
  };

  const exists = async (url: string): Promise<boolean> => {
    const { bucket, key } = parseUrl(url);
    try {
      await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      return true;
    } catch (error) {
      if (storeErrorKind(error) === "missing") return false;
      throw storeError(url, address, error);
    }
  };

  return {
    missing: async (urls) => {
      const found = await Promise.all(urls.map(exists));
      return urls.filter((_, index) => found[index] === false);
    },
    put: async (url, body, contentType) => {
      const { bucket, key } = parseUrl(url);
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ContentType: contentType,
      });
      await guarded(url, async () => await client.send(command));
    },
    putStream: async (url, body) => {
      const { bucket, key } = parseUrl(url);
      const { Upload } = await import("@aws-sdk/lib-storage");
      const params = { Bucket: bucket, Key: key, Body: body, ContentType: "text/plain; charset=utf-8" };
      const upload = new Upload({ client, params, queueSize: 1, partSize: PART_BYTES });
      await guarded(url, async () => await upload.done());
    },
    list: async (prefix) => {
      const { bucket, key } = parseUrl(prefix);
      const urls: string[] = [];
      let token: string | undefined;
      do {
        const page = await guarded(prefix, async () =>
          client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: key,
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
          ),
        );
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) urls.push(`s3://${bucket}/${Key}`);
        token = page.NextContinuationToken;
      } while (token !== undefined);
      return urls;
    },
    get: async (url) => {
      const { bucket, key } = parseUrl(url);
      const { Readable } = await import("node:stream");
      return await guarded(url, async () => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return Body instanceof Readable ? Body : Readable.from([]);
      });
    },
    close: () => {
      client.destroy();
    },
  };
}
