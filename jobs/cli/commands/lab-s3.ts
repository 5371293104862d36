import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { EXIT, UserError } from "../../../base/errors.ts";
import { step } from "../../../base/progress.ts";
import type { LabStore } from "../../../lab/store.ts";
import { examples } from "../options.ts";
import { printLine } from "../output.ts";

/** `s3://bucket/key` in its parts; the key may be empty or a prefix. */
function parseLocation(text: string): { readonly bucket: string; readonly key: string } {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(text);
  if (match?.[1] === undefined) {
    throw new UserError("not-an-s3-url", "Not an S3 location", {
      path: text,
      hint: "Write it as s3://bucket/key",
    });
  }
  return { bucket: match[1], key: match[2] ?? "" };
}

/** What a location names, in the opened store. */
interface Place {
  readonly store: LabStore;
  readonly bucket: string;
  readonly key: string;
  /** Keys of the object, or of all objects under a location that ends with `/`. */
  readonly keys: () => Promise<readonly string[]>;
}

/** Opens the lab's store for one location; what the store refuses becomes an error for people. */
async function withStore(location: string, work: (place: Place) => Promise<void>): Promise<void> {
  const { bucket, key } = parseLocation(location);
  const [{ labConnection, labStore }, { storeError }] = await Promise.all([
    import("../../../lab/store.ts"),
    import("../../store/errors.ts"),
  ]);
  const { s3 } = labConnection();
  try {
    const store = await labStore();
    const keys = async (): Promise<readonly string[]> =>
      key === "" || key.endsWith("/") ? await store.list(bucket, key) : [key];
    await work({ store, bucket, key, keys });
  } catch (error) {
    throw error instanceof UserError ? error : storeError(location, s3, error);
  }
}

const list = () =>
  new Command("ls")
    .description("list objects under a location")
    .argument("<location>", "s3://bucket/prefix")
    .action((location) =>
      withStore(location, async ({ store, bucket, key }) => {
        for (const found of await store.list(bucket, key)) printLine(`s3://${bucket}/${found}`);
      }),
    );

const put = () =>
  new Command("put")
    .description("put a file")
    .argument("<file>", "local file")
    .argument("<location>", "s3://bucket/key; a location that ends with / keeps the file's name")
    .action(async (file, location) => {
      const body = await readFile(file).catch((cause: unknown) => {
        throw new UserError("file-missing", "Can't read the file to put", {
          path: file,
          exitCode: EXIT.missingInput,
          cause,
        });
      });
      await withStore(location, async ({ store, bucket, key }) => {
        const target = key === "" || key.endsWith("/") ? `${key}${basename(file)}` : key;
        await step(`put ${file} to s3://${bucket}/${target}`, () => store.put(bucket, target, body));
      });
    });

const cat = () =>
  new Command("cat")
    .description("print an object, or all objects under a location that ends with /")
    .argument("<location>", "s3://bucket/key or s3://bucket/prefix/")
    .action((location) =>
      withStore(location, async ({ store, bucket, keys: find }) => {
        const keys = await find();
        for (const found of keys) {
          // `_SUCCESS` and its like are notes of the writer, not data.
          if (keys.length > 1 && (found.split("/").at(-1) ?? "").startsWith("_")) continue;
          for await (const piece of store.read(bucket, found)) {
            if (!process.stdout.write(piece)) await once(process.stdout, "drain");
          }
        }
      }),
    );

const remove = () =>
  new Command("rm")
    .description("remove an object, or all objects under a location that ends with /")
    .argument("<location>", "s3://bucket/key or s3://bucket/prefix/")
    .action((location) =>
      withStore(location, async ({ store, bucket, keys: find }) => {
        const keys = await find();
        for (const found of keys) await store.remove(bucket, found);
        printLine(`${keys.length} removed`);
      }),
    );

export const labS3Command = () =>
  new Command("s3")
    .description("put, list, print and remove objects in the lab's S3 store")
    .addCommand(list())
    .addCommand(put())
    .addCommand(cat())
    .addCommand(remove())
    .addHelpText(
      "after",
      examples(
        "mayfly lab s3 put book.txt s3://demo-input/wordcount/",
        "mayfly lab s3 ls s3://demo-output/",
        "mayfly lab s3 cat s3://demo-output/wordcount/",
      ),
    );
