import { createHash } from "node:crypto";

const MAGIC = 0xfeedfeed;
const TRUSTED_CERTIFICATE = 2;

interface Entry {
  readonly alias: string;
  /** Certificate type and length-prefixed DER, as they stand in the file. */
  readonly certificate: Buffer;
}

/**
 * Java's trust store holds the moment at which each certificate was put in, and lists them in the order of a hash table: two builds of
 * the same certificates differ. This writes the same certificates in the order of their names, with a fixed moment.
 * The format (JKS) in short: magic, version, count; per entry a tag, alias, milliseconds, certificate; at the end SHA-1 over the
 * password in UTF-16, a constant, and all before it.
 * @param password Protects nothing: Java's is public, `changeit`.
 * @throws Error if it is not a JKS of certificates alone.
 */
export function stableTrustStore(store: Buffer, epochSeconds: number, password = "changeit"): Buffer {
  const entries = readEntries(store).toSorted((a, b) => (a.alias < b.alias ? -1 : 1));
  const head = Buffer.alloc(12);
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(entries.length, 8);
  const body = Buffer.concat([
    head,
    ...entries.flatMap(({ alias, certificate }) => {
      const tag = Buffer.alloc(4);
      tag.writeUInt32BE(TRUSTED_CERTIFICATE);
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(BigInt(epochSeconds) * 1000n);
      return [tag, text(alias), time, certificate];
    }),
  ]);
  return Buffer.concat([body, seal(body, password)]);
}

function readEntries(store: Buffer): Entry[] {
  if (store.length < 32 || store.readUInt32BE(0) !== MAGIC || store.readUInt32BE(4) !== 2) {
    throw new Error("Java's trust store is not a JKS file of version 2");
  }
  const entries: Entry[] = [];
  let at = 12;
  const sized = (bytes: 2 | 4): Buffer => {
    const length = store.readUIntBE(at, bytes);
    const part = store.subarray(at, at + bytes + length);
    at += bytes + length;
    return part;
  };
  for (let left = store.readUInt32BE(8); left > 0; left -= 1) {
    if (store.readUInt32BE(at) !== TRUSTED_CERTIFICATE) throw new Error("Java's trust store holds a key");
    at += 4;
    const alias = sized(2).subarray(2).toString("utf8");
    at += 8;
    const type = sized(2);
    entries.push({ alias, certificate: Buffer.concat([type, sized(4)]) });
  }
  return entries;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "utf8");
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The constant is Sun's. */
const seal = (body: Buffer, password: string): Buffer =>
  createHash("sha1")
    .update(Buffer.from(password, "utf16le").swap16())
    .update("Mighty Aphrodite", "utf8")
    .update(body)
    .digest();
