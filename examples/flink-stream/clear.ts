// Removes what an earlier stream wrote, before a new one that counts from the start: bin/node examples/flink-stream/clear.ts [s3://output/]
import { labStore } from "../../lab/store.ts";

const { hostname, pathname } = new URL(process.argv[2] ?? "s3://demo-output/flink-stream/");
const removed = await (await labStore()).clear(hostname, pathname.slice(1));
console.log(`removed ${removed} objects under s3://${hostname}${pathname}`);
