// Boundary file: speaks gRPC to containerd without generated code. Only four calls with a field or two are needed, so
// their messages are written and read by hand (https://protobuf.dev/programming-guides/encoding/).
import { Client, credentials } from "@grpc/grpc-js";

const SERVICE = "/runtime.v1.RuntimeService";

/** A message with one string in field 1. */
export function encodeId(id: string): Buffer {
  const text = Buffer.from(id);
  if (text.length > 127) throw new Error("identifiers of containerd are short");
  return Buffer.concat([Buffer.from([0x0a, text.length]), text]);
}

/** All length-delimited values of field 1; other fields are skipped. */
export function decodeField1(message: Buffer): Buffer[] {
  const values: Buffer[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++];
      if (byte === undefined) throw new Error("message of containerd ends too early");
      // Multiplied, not shifted: timestamps need more than 32 bits.
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint();
      if (field === 1) values.push(message.subarray(at, at + length));
      at += length;
    } else throw new Error(`wire type ${wire} in a message of containerd`);
  }
  return values;
}

/** containerd's interface for the kubelet, as far as the lab uses it. Close it after use. */
export class Cri {
  readonly #client: Client;

  constructor(socket: string) {
    this.#client = new Client(`unix://${socket}`, credentials.createInsecure());
  }

  async #call(method: string, message: Buffer, timeoutMs: number): Promise<Buffer> {
    return await new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        `${SERVICE}/${method}`,
        (value: Buffer) => value,
        (value: Buffer) => value,
        message,
        { deadline: Date.now() + timeoutMs },
        (error, value) => {
          if (error !== null) reject(error);
          else resolve(value ?? Buffer.alloc(0));
        },
      );
    });
  }

  /** Undefined if containerd answers, else what is wrong. */
  async health(): Promise<string | undefined> {
    try {
      await this.#call("Version", Buffer.alloc(0), 2000);
      return undefined;
    } catch (error) {
      return `containerd: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** Identifiers of all pod sandboxes, also of those that have stopped. */
  async sandboxes(): Promise<string[]> {
    const answer = await this.#call("ListPodSandbox", Buffer.alloc(0), 5000);
    return decodeField1(answer).flatMap((sandbox) => decodeField1(sandbox).slice(0, 1).map(String));
  }

  /** Kills a pod's containers at once, takes its network down and forgets it. */
  async removeSandbox(id: string, timeoutMs: number): Promise<void> {
    await this.#call("StopPodSandbox", encodeId(id), timeoutMs);
    await this.#call("RemovePodSandbox", encodeId(id), timeoutMs);
  }

  close(): void {
    this.#client.close();
  }
}
