// Where Pulumi's own backend keeps its files: a folder, or a bucket. Paths are relative to it.
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { EXIT, UserError } from "../../base/errors.ts";
import { openS3, type S3Location } from "../../base/s3.ts";
import { storeError, storeErrorKind } from "../store/errors.ts";

export interface BackendFile {
  readonly path: string;
  /** Milliseconds since 1970. */
  readonly changedAt: number;
}

/** What a backend of any kind can do. What has gone meanwhile is no error. */
export interface BackendFiles {
  /** All below a folder, at any depth; none where there is no such folder. */
  readonly list: (folder: string) => Promise<readonly BackendFile[]>;
  readonly read: (path: string) => Promise<Buffer | undefined>;
  readonly remove: (path: string) => Promise<void>;
  readonly close: () => void;
}

/** Opens the backend of a URL; undefined where it is of another kind. */
export function openBackend(url: string, s3: S3Location): BackendFiles | undefined {
  const [, scheme, rest = ""] = /^(file|s3):\/\/([^?]*)/.exec(url) ?? [];
  if (scheme === "file") return folderFiles(rest.startsWith("~") ? join(homedir(), rest.slice(1)) : rest);
  return scheme === "s3" ? bucketFiles(rest, s3) : undefined;
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

/** What the system says, such as that permission is denied, for people. */
const unreadable = (error: unknown): unknown =>
  error instanceof Error && "code" in error && "path" in error
    ? new UserError("state-unreadable", `Pulumi's state can't be read: ${error.message}`, {
        path: String(error.path),
        hint: "Run it as the user to whom the state belongs, or mend the folder's rights.",
        exitCode: EXIT.unavailable,
        cause: error,
      })
    : error;

async function unlessMissing<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw unreadable(error);
  }
}

/** A backend in files. */
export function folderFiles(root: string): BackendFiles {
  return {
    list: async (folder) => {
      const options = { recursive: true, withFileTypes: true } as const;
      const entries = await unlessMissing(() => readdir(join(root, folder), options));
      const files = (entries ?? []).filter((entry) => entry.isFile());
      const found = files.map(({ parentPath, name }) =>
        unlessMissing(async () => {
          const path = join(parentPath, name);
          return { path: relative(root, path), changedAt: (await stat(path)).mtimeMs };
        }),
      );
      return (await Promise.all(found)).filter((file) => file !== undefined);
    },
    read: (path) => unlessMissing(() => readFile(join(root, path))),
    remove: async (path) => {
      await rm(join(root, path), { force: true });
    },
    close: () => undefined,
  };
}

/**
 * A backend in a bucket, with the connection's address and credentials: the engine's too (jobs/engine/environment.ts).
 * @param location `bucket` or `bucket/folder`.
 */
export function bucketFiles(location: string, s3: S3Location): BackendFiles {
  const [Bucket = "", ...folders] = location.split("/").filter((part) => part !== "");
  const root = folders.map((folder) => `${folder}/`).join("");
  const loaded = Promise.all([openS3(s3), import("@aws-sdk/client-s3")]);
  const explained = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw storeError(`s3://${Bucket}/${root}${path}`, s3, error);
    }
  };
  return {
    list: (folder) =>
      explained(folder, async () => {
        const [client, { ListObjectsV2Command }] = await loaded;
        const files: BackendFile[] = [];
        let ContinuationToken: string | undefined;
        do {
          const query = { Bucket, Prefix: `${root}${folder}/`, ContinuationToken };
          const page = await client.send(new ListObjectsV2Command(query));
          for (const { Key, LastModified } of page.Contents ?? []) {
            if (Key === undefined || LastModified === undefined) continue;
            files.push({ path: Key.slice(root.length), changedAt: LastModified.getTime() });
          }
          ContinuationToken = page.NextContinuationToken;
        } while (ContinuationToken !== undefined);
        return files;
      }),
    read: async (path) => {
      const [client, { GetObjectCommand }] = await loaded;
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: root + path }));
        return Body === undefined ? undefined : Buffer.from(await Body.transformToByteArray());
      } catch (error) {
        if (storeErrorKind(error) === "missing") return undefined;
        throw storeError(`s3://${Bucket}/${root}${path}`, s3, error);
      }
    },
    remove: (path) =>
      explained(path, async () => {
        const [client, { DeleteObjectCommand }] = await loaded;
        await client.send(new DeleteObjectCommand({ Bucket, Key: root + path }));
      }),
    close: () => {
      void loaded.then(([client]) => {
        client.destroy();
      });
    },
  };
}
