import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { setGlobalProxyFromEnv } from "node:http";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { execute } from "../../base/process.ts";
import type { Report } from "../../base/progress.ts";
import { errorCode } from "../host/files.ts";
import { type Artifact, type Checksum, checksumIn } from "./choice.ts";

/** Machines that can't reach a host at all mostly drop packets: waiting for the system's own timeout takes minutes. */
const ANSWER_WITHIN_MS = 3000;
const STALLED_AFTER_MS = 30_000;

/** An official file can't be had from here; the message is the reason in a few words. */
export class NotAvailable extends Error {
  override readonly name = "NotAvailable";
}

/** An archive whose download has begun. */
export interface Opened {
  readonly artifact: Artifact;
  readonly body: ReadableStream<Uint8Array>;
  /** The published checksum; undefined if none is published. */
  readonly expected: Checksum | undefined;
}

/**
 * Begins to download an official archive: asks for it and for its published checksum, and waits for both answers to begin.
 * @throws NotAvailable if it can't be reached or is not there.
 */
export async function openArtifact(artifact: Artifact, signal?: AbortSignal): Promise<Opened> {
  useProxySettings();
  const [list, body] = await Promise.all([
    readList(artifact, signal).catch((error: unknown) => {
      if (artifact.checksumsRequired || !(error instanceof NotAvailable)) throw error;
      return "";
    }),
    open(artifact.url, signal),
  ]);
  const expected = checksumIn(list, artifact.name);
  if (expected === undefined && (artifact.checksumsRequired || list !== "")) {
    await body.cancel();
    throw new NotAvailable(`${artifact.checksums} names no ${artifact.name}`);
  }
  return { artifact, body, expected };
}

/**
 * Downloads the rest, checks it and unpacks it into `folder`.
 * @throws NotAvailable if the download breaks off or is not what was published.
 */
export async function unpackArtifact(opened: Opened, folder: string, report: Report): Promise<void> {
  const { artifact, body, expected } = opened;
  await mkdir(folder, { recursive: true });
  const archive = join(folder, "archive.tar.gz");
  const actual = await save(body, archive, expected?.algorithm ?? "sha256", report);
  if (expected !== undefined && actual !== expected.hex) {
    throw new NotAvailable(`${artifact.url} is not what was published: ${expected.algorithm} ${actual}`);
  }
  const unpack = ["-xzf", archive, "-C", folder, `--strip-components=${artifact.strip}`];
  const { code, stderr } = await execute("tar", unpack);
  if (code !== 0) throw new NotAvailable(`${artifact.name} can't be unpacked: ${stderr.trim()}`);
  await rm(archive);
}

async function readList(artifact: Artifact, signal: AbortSignal | undefined): Promise<string> {
  return await new Response(await open(artifact.checksums, signal)).text();
}

/** The body of a 200 answer; waits only for the beginning of the answer. */
async function open(url: string, signal: AbortSignal | undefined): Promise<ReadableStream<Uint8Array>> {
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
  }, ANSWER_WITHIN_MS);
  const { host } = new URL(url);
  try {
    const signals = signal === undefined ? [late.signal] : [late.signal, signal];
    const response = await fetch(url, { signal: AbortSignal.any(signals) });
    if (!response.ok || response.body === null) throw new NotAvailable(`${host} answers ${response.status}`);
    return response.body;
  } catch (error) {
    if (error instanceof NotAvailable) throw error;
    signal?.throwIfAborted();
    throw new NotAvailable(
      late.signal.aborted ? `${host} does not answer` : `${host}: ${networkReason(error)}`,
    );
  } finally {
    clearTimeout(timer);
  }
}

async function save(
  body: ReadableStream<Uint8Array>,
  path: string,
  algorithm: Checksum["algorithm"],
  report: Report,
): Promise<string> {
  const hash = createHash(algorithm);
  const stalled = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let bytes = 0;
  const watch = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        stalled.abort();
      }, STALLED_AFTER_MS);
      hash.update(chunk);
      bytes += chunk.length;
      report(`${(bytes / 1e6).toFixed(0)} MB`);
      done(null, chunk);
    },
  });
  try {
    await pipeline(Readable.fromWeb(body), watch, createWriteStream(path), { signal: stalled.signal });
  } catch (error) {
    if (errorCode(error) === "ENOSPC") throw error;
    throw new NotAvailable(
      `the download broke off after ${(bytes / 1e6).toFixed(0)} MB: ${networkReason(error)}`,
    );
  } finally {
    clearTimeout(timer);
  }
  return hash.digest("hex");
}

/** Node's fetch says only "fetch failed"; the cause says what happened. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = errorCode(cause);
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "its name can't be resolved";
  if (code === "ECONNREFUSED") return "it refuses connections";
  return code ?? (cause instanceof Error ? cause.message : String(cause));
}

/** Node's fetch looks at HTTPS_PROXY and NO_PROXY only when told to. */
function useProxySettings(): void {
  const isSet = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].some(
    (name) => (process.env[name] ?? "") !== "",
  );
  if (isSet) setGlobalProxyFromEnv();
}
