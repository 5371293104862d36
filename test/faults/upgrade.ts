// Boundary: passes a change of protocol (exec, port-forward) through the fault proxy.
import http, { type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import https from "node:https";
import type { Duplex } from "node:stream";

/** Where a request goes on to. */
export interface UpgradeTarget {
  readonly url: URL;
  /** TLS options: authority and identity. */
  readonly options: https.RequestOptions;
  readonly headers: OutgoingHttpHeaders;
}

/** From the server's answer on, bytes go both ways until either side ends. A refusal is passed on too. */
export function passUpgrade(
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  { url, options, headers }: UpgradeTarget,
): void {
  const call = (url.protocol === "https:" ? https : http).request(url, {
    ...options,
    agent: false,
    method: request.method,
    headers,
  });
  const end = (): void => {
    call.destroy();
    client.destroy();
  };
  client.on("error", end).on("close", end);
  call.on("error", end);
  call.on("upgrade", (answer, server, first) => {
    client.write(answerHead(answer));
    client.write(first);
    server.write(head);
    server.on("error", end).on("close", end);
    client.pipe(server).pipe(client);
  });
  call.on("response", (answer) => {
    client.write(answerHead(answer, ["transfer-encoding", "connection"], ["connection: close"]));
    answer.pipe(client);
  });
  call.end();
}

/** @param without Headers that are not passed on, in lower case. */
function answerHead(
  { statusCode = 502, statusMessage = "", rawHeaders }: IncomingMessage,
  without: readonly string[] = [],
  more: readonly string[] = [],
): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (!without.includes(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1] ?? ""}`);
  }
  return `${[...lines, ...more].join("\r\n")}\r\n\r\n`;
}

/** For who is not a client of the proxy. */
export const refuseUpgrade = (client: Duplex): void => {
  client.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
};
