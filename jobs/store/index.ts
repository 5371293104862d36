// The helper's own access to S3: are inputs there, put logs and reports, read them again. Tenants' code has its own.
import { Readable } from "node:stream";
import type * as Sdk from "@aws-sdk/client-s3";
import { openS3 } from "../../base/s3.ts";
import type { Connection } from "../../schema/connection.ts";
import { storeError, storeErrorKind } from "./errors.ts";

/** An object of the store. */
export interface StoredObject {
  readonly url: string;
  /** When it was written, by the store's clock. */
  readonly at: Date;
  readonly bytes: number;
}

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
  /** One page (up to 1000) of the objects below `prefix`, in the order of their keys, after the key of `after`, which need not exist. */
  readonly page: (
    prefix: string,
    after?: string,
  ) => Promise<{ readonly objects: readonly StoredObject[]; readonly more: boolean }>;
  readonly get: (url: string) => Promise<Readable>;
  /** Deletes objects of one bucket; one that is not there is no error. */
  readonly remove: (urls: readonly string[]) => Promise<void>;
  readonly close: () => void;
}

/** `s3://bucket/key` in its parts; the key may be empty. */
export function parseUrl(url: string): { readonly bucket: string; readonly key: string } {
  const match = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(url);
  return { bucket: match?.[1] ?? "", key: match?.[2] ?? "" };
}

/** The most that one request deletes, https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
const MAX_DELETED = 1000;

const PART_BYTES = 5 * 1024 * 1024;

/** Opens the store with the helper's own profile. Loads the SDK at first use: many a job has no input to look for. */
export function openStore(address: Connection["s3"]): ObjectStore {
  let opened: Promise<Opened> | undefined;
  const open = (): Promise<Opened> => (opened ??= loadClient(address));
  const guarded = async <T>(url: string, work: (to: Opened) => Promise<T>): Promise<T> => {
    try {
      return await work(await open());
    } catch (error) {
      throw storeError(url, address, error);
    }
  };

  const exists = async (url: string): Promise<boolean> => {
    const { client, sdk } = await open();
    const { bucket, key } = parseUrl(url);
    try {
      await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }));
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
      const input = { Bucket: bucket, Key: key, Body: body, ContentType: contentType };
      await guarded(url, async ({ client, sdk }) => await client.send(new sdk.PutObjectCommand(input)));
    },
    putStream: async (url, body) => {
      const { bucket, key } = parseUrl(url);
      const { Upload } = await import("@aws-sdk/lib-storage");
      const params = { Bucket: bucket, Key: key, Body: body, ContentType: "text/plain; charset=utf-8" };
      await guarded(
        url,
        async ({ client }) => await new Upload({ client, params, queueSize: 1, partSize: PART_BYTES }).done(),
      );
    },
    list: async (prefix) => await guarded(prefix, async (to) => await listAll(to, prefix)),
    page: async (prefix, after) => await guarded(prefix, async (to) => await listPage(to, prefix, after)),
    remove: async (urls) => {
      for (let start = 0; start < urls.length; start += MAX_DELETED) {
        const some = urls.slice(start, start + MAX_DELETED);
        await guarded(some[0] ?? "", async (to) => {
          await removeSome(to, some);
        });
      }
    },
    get: async (url) => {
      const { bucket, key } = parseUrl(url);
      return await guarded(url, async ({ client, sdk }) => {
        const { Body } = await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }));
        return Body instanceof Readable ? Body : Readable.from([]);
      });
    },
    close: () => {
      void opened?.then(({ client }) => {
        client.destroy();
      });
    },
  };
}

interface Opened {
  readonly client: Sdk.S3Client;
  readonly sdk: typeof Sdk;
}

async function loadClient(address: Connection["s3"]): Promise<Opened> {
  const [client, sdk] = await Promise.all([openS3(address), import("@aws-sdk/client-s3")]);
  return { client, sdk };
}

async function listAll(to: Opened, prefix: string): Promise<readonly string[]> {
  const urls: string[] = [];
  let after: string | undefined;
  do {
    const { objects, more } = await listPage(to, prefix, after);
    urls.push(...objects.map(({ url }) => url));
    after = more ? urls.at(-1) : undefined;
  } while (after !== undefined);
  return urls;
}

async function listPage(
  { client, sdk }: Opened,
  prefix: string,
  after: string | undefined,
): Promise<{ readonly objects: readonly StoredObject[]; readonly more: boolean }> {
  const { bucket, key } = parseUrl(prefix);
  const from = after === undefined ? {} : { StartAfter: parseUrl(after).key };
  const page = await client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: key, ...from }));
  const objects = (page.Contents ?? []).flatMap(({ Key, LastModified, Size }) =>
    Key === undefined
      ? []
      : [{ url: `s3://${bucket}/${Key}`, at: LastModified ?? new Date(0), bytes: Size ?? 0 }],
  );
  return { objects, more: page.IsTruncated === true };
}

async function removeSome({ client, sdk }: Opened, urls: readonly string[]): Promise<void> {
  const { bucket } = parseUrl(urls[0] ?? "");
  const Objects = urls.map((url) => ({ Key: parseUrl(url).key }));
  const { Errors } = await client.send(
    new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
  );
  const failed = (Errors ?? []).find(({ Code }) => Code !== "NoSuchKey");
  if (failed !== undefined) {
    throw Object.assign(new Error(failed.Message ?? `${failed.Key ?? "an object"} could not be deleted`), {
      name: failed.Code ?? "InternalError",
    });
  }
}
