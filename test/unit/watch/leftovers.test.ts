import { expect, test } from "vitest";
import { findLeftovers } from "../../../jobs/watch/leftovers.ts";
import { failure, fakeServer, json } from "./fake-server.ts";

const kind = (name: string, singular: string, namespaced = true) => ({
  name,
  kind: singular,
  namespaced,
  verbs: ["get", "list"],
});
const KINDS = [
  kind("pods", "Pod"),
  kind("secrets", "Secret"),
  kind("nodes", "Node", false),
  kind("endpoints", "Endpoints"),
  kind("persistentvolumes", "PersistentVolume", false),
];

test("kinds that the account may not list are told in one line, and hide nothing of the others", async () => {
  await using server = await fakeServer((_request, response, { pathname }) => {
    if (pathname === "/api") json(response, { versions: ["v1"] });
    else if (pathname === "/apis") json(response, { groups: [] });
    else if (pathname === "/api/v1") json(response, { resources: KINDS });
    else if (pathname === "/api/v1/namespaces/acme-k7") failure(response, 404, "NotFound", "not found");
    else if (pathname === "/api/v1/pods") {
      const metadata = {
        name: "worker-0",
        namespace: "globex-x2",
        labels: {},
        uid: "1",
        resourceVersion: "7",
      };
      json(response, { metadata: {}, items: [{ metadata }] });
    } else failure(response, 403, "Forbidden", `${pathname} is forbidden`);
  });
  const { objects, unknown } = await findLeftovers(server.cluster, { run: "acme-k7", namespace: "acme-k7" });
  expect(objects.map(({ kind: found, name }) => `${found} ${name}`)).toEqual(["Pod worker-0"]);
  expect(unknown).toEqual([
    "kinds that this account may not list: Endpoints, Node, PersistentVolume and 1 more",
  ]);
});
