import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";

/** A plain answer of an HTTP server. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** How {@link fetchText} asks. */
export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** PEM texts, for servers behind the lab's own authority. */
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string };
  readonly timeoutMs?: number;
}

/**
 * One HTTP or HTTPS request with client certificates, which the built-in `fetch` can't send.
 * @throws Error on refused connections and timeouts, never for a status.
 */
export async function fetchText(url: string, ask: Ask = {}): Promise<Answer> {
  const secure = url.startsWith("https:");
  const options = {
    method: ask.method ?? "GET",
    headers: {
      ...ask.headers,
      ...(ask.body === undefined ? {} : { "content-length": Buffer.byteLength(ask.body) }),
    },
    timeout: ask.timeoutMs ?? 2000,
    ...(secure ? ask.tls : {}),
  };
  return await new Promise((resolve, reject) => {
    const request = (secure ? requestHttps : requestHttp)(url, options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error(`no answer from ${url} in ${options.timeout} ms`)));
    request.on("error", reject);
    request.end(ask.body);
  });
}

/** Undefined if the URL answers with a 2xx status, else what is wrong, for people. */
export async function healthOf(url: string, ask: Ask = {}): Promise<string | undefined> {
  try {
    const { status, body } = await fetchText(url, ask);
    return status >= 200 && status < 300
      ? undefined
      : `${url} answers ${status}: ${body.slice(0, 200).trim()}`;
  } catch (error) {
    return `${url}: ${error instanceof Error ? error.message : String(error)}`;
  }
}
