import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { projectDir } from "../../../base/paths.ts";
import { projectText, stackText } from "../../../lab/environment/config.ts";

const read = (name: string): string => readFileSync(join(projectDir, name), "utf8");
const S3 = { region: "us-east-1", pathStyle: true, credentialsFile: "/x", profile: "mayfly" };

describe("the lab's stack config", () => {
  test("is the committed one where the lab runs as processes of this machine", () => {
    const committed = read("Pulumi.lab.yaml");
    const text = stackText(committed, { ...S3, endpoint: "http://10.244.0.1:7070" }, { node: "mayfly-lab" });
    expect(parse(text)).toEqual(parse(committed));
  });

  test("names kind's own node, S3 address and DNS pods", () => {
    const text = stackText(
      read("Pulumi.lab.yaml"),
      { ...S3, endpoint: "http://172.18.0.1:7070" },
      { node: "mayfly-lab-control-plane" },
    );
    expect(parse(text)).toMatchObject({
      config: {
        "mayfly:pools": [
          {
            nodes: ["mayfly-lab-control-plane"],
            allocatable: { from: "node", node: "mayfly-lab-control-plane" },
          },
        ],
        "mayfly:tenants": [{ id: "demo", allowHighAvailability: false }],
        "mayfly:s3": { endpoint: "http://172.18.0.1:7070" },
        "mayfly:egress": [
          { name: "dns", peers: [{ kind: "pods", podLabels: { "k8s-app": "kube-dns" } }] },
          {
            name: "s3",
            peers: [{ kind: "cidr", cidr: "172.18.0.1/32" }],
            ports: [{ protocol: "TCP", port: 7070 }],
          },
        ],
      },
    });
  });

  test("can't have S3 by name, since network policies know addresses only", () => {
    expect(() =>
      stackText(read("Pulumi.lab.yaml"), { ...S3, endpoint: "http://s3.local:7070" }, { node: "n" }),
    ).toThrow("IPv4");
  });
});

test("the lab's project is the root project with its program where it is", () => {
  const text = projectText(read("Pulumi.yaml"), "/srv/mayfly");
  expect(parse(text)).toEqual({
    ...(parse(read("Pulumi.yaml")) as object),
    main: "/srv/mayfly/stacks/environment/index.ts",
  });
});
