// A door to a TCP service that can be shut: connections are refused, or accepted and never served.
import net from "node:net";

export interface Gate {
  readonly port: number;
  /** Nobody listens any more, and all connections are cut: the service's process died. */
  readonly down: () => Promise<void>;
  /** Connections are accepted and nothing passes: it hangs. */
  readonly hang: () => void;
  /** Ends {@link down} and {@link hang}; what was asked meanwhile is passed on then. */
  readonly restore: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Opens a door on a free port of `host`. */
export async function openGate(
  target: { readonly host: string; readonly port: number },
  host = "127.0.0.1",
): Promise<Gate> {
  const sockets = new Set<net.Socket>();
  let hanging = false;
  let port = 0;
  const keep = (socket: net.Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
    if (hanging) socket.pause();
  };
  const server = net.createServer((client) => {
    const upstream = net.connect(target.port, target.host);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      keep(one);
      one.on("close", () => other.destroy());
      // By hand: a pipe would take up again whatever was paused.
      one.on("data", (chunk) => {
        other.write(chunk);
      });
      one.on("end", () => other.end());
      if (hanging) one.pause();
    }
  });
  const listen = async (): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
    const address = server.address();
    if (address !== null && typeof address !== "string") ({ port } = address);
  };
  const down = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen();
  return {
    get port() {
      return port;
    },
    down,
    hang: () => {
      hanging = true;
      for (const socket of sockets) socket.pause();
    },
    restore: async () => {
      hanging = false;
      for (const socket of sockets) socket.resume();
      if (!server.listening) await listen();
    },
    close: down,
  };
}
