import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { nodeUserData } from "../../../components/nodes/user-data.ts";

/** Headers and body of the one part of a MIME document. */
function partOf(document: string): { readonly head: string; readonly type: string; readonly body: unknown } {
  const [head = "", rest = ""] = document.split(/\n\n(.*)/s);
  const boundary = /boundary="([^"]+)"/.exec(head)?.[1] ?? "";
  const [before, part = "", after] = rest.split(new RegExp(`^--${boundary}(?:--)?$`, "m"));
  expect([before, after]).toEqual(["", "\n"]);
  const [type = "", body = ""] = part.trim().split(/\n\n(.*)/s);
  return { head, type, body: parse(body) };
}

describe("user data of a node", () => {
  test("is a MIME document with one NodeConfig, as EKS merges it", () => {
    const { head, type, body } = partOf(nodeUserData({ maxPods: 110, localDisks: "unused" }));
    expect(head).toBe('MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="mayfly"');
    expect(type).toBe("Content-Type: application/node.eks.aws");
    expect(body).toEqual({
      apiVersion: "node.eks.aws/v1alpha1",
      kind: "NodeConfig",
      spec: { kubelet: { config: { maxPods: 110 }, flags: ["--max-pods=110"] } },
    });
  });

  test("makes one RAID 0 of the local disks where they are for scratch", () => {
    const { body } = partOf(nodeUserData({ maxPods: 250, localDisks: "scratch" }));
    expect(body).toMatchObject({
      spec: { kubelet: { config: { maxPods: 250 } }, instance: { localStorage: { strategy: "RAID0" } } },
    });
  });
});
