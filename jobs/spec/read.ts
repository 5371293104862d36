import { open, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { EXIT, UserError } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";

/** Job specs are a few KiB and plans some 30; a larger file is the wrong one. */
const MAX_BYTES = 1024 * 1024;

const isDocument = (name: string): boolean => /\.(ya?ml|json)$/i.test(name);

async function names(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch {
    // Only wanted for a hint; the error that matters is about the file itself.
    return [];
  }
}

const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

async function explain(error: unknown, file: string, kind: string): Promise<UserError> {
  const code = errorCode(error);
  switch (code) {
    case "ENOENT":
    case "ENOTDIR": {
      const near = nearest(basename(file), (await names(dirname(file))).filter(isDocument));
      return new UserError(`${kind}-not-found`, `There is no file ${file}.`, {
        path: file,
        exitCode: EXIT.missingInput,
        hint:
          near === undefined
            ? `Give the path of a ${kind} file, relative to ${process.cwd()} or absolute.`
            : `Did you mean ${join(dirname(file), near)}?`,
        cause: error,
      });
    }
    case "EISDIR": {
      const found = (await names(file)).filter(isDocument);
      return new UserError(`${kind}-not-a-file`, `${file} is a folder, not a ${kind} file.`, {
        path: file,
        hint:
          found.length === 0
            ? "Name a YAML or JSON file."
            : `Name the file: ${found.map((name) => join(file, name)).join(", ")}`,
        cause: error,
      });
    }
    case "EACCES":
    case "EPERM":
      return new UserError(`${kind}-unreadable`, `${file} may not be read by this user.`, {
        path: file,
        exitCode: EXIT.missingInput,
        hint: `Look at its rights: ls -l ${file}`,
        cause: error,
      });
    case undefined:
    default:
      return new UserError(`${kind}-unreadable`, `${file} can't be read: ${code ?? String(error)}.`, {
        path: file,
        exitCode: EXIT.missingInput,
        hint: "Name a YAML or JSON file.",
        cause: error,
      });
  }
}

/** At most `MAX_BYTES` and one of a file; works for pipes too, whose size nobody knows. */
async function firstBytes(file: string): Promise<Buffer> {
  const handle = await open(file, "r");
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    while (length <= MAX_BYTES) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(65_536), 0, 65_536, null);
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}

/**
 * The text of a small UTF-8 file.
 * @param kind What the file is, for messages and error codes: `spec` or `plan`.
 * @throws UserError `<kind>-not-found`, `-not-a-file`, `-unreadable`, `-too-large`, `-binary`
 */
export async function readText(file: string, kind: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await firstBytes(file);
  } catch (error) {
    throw await explain(error, file, kind);
  }
  if (bytes.length > MAX_BYTES) {
    throw new UserError(`${kind}-too-large`, `${file} is larger than 1 MiB, hence no ${kind} file.`, {
      path: file,
      hint: "Put data and code into S3 and name them in the spec.",
    });
  }
  const binary = (why: string): UserError =>
    new UserError(`${kind}-binary`, `${file} is no text: ${why}.`, {
      path: file,
      hint: "Name a YAML or JSON file in UTF-8.",
    });
  if (bytes.includes(0)) throw binary("it holds zero bytes");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw binary("it is not UTF-8");
  }
}
