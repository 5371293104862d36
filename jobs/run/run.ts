import type { JobSpec } from "../../schema/job.ts";
import type { RunReport } from "../../schema/report.ts";
import { startEngine } from "../engine/index.ts";
import { placeOf } from "../work/place.ts";
import { streamSpec } from "../work/streams.ts";
import { leaseTiming } from "../work/timing.ts";
import { openRunCluster } from "./cluster.ts";
import { findConnection, readConnection, readContract } from "./environment.ts";
import { runForeground } from "./foreground.ts";
import { IsAStream } from "./is-a-stream.ts";
import { lazyCluster } from "./lazy-cluster.ts";
import { openRunLedger, pruneLedger } from "./ledger.ts";
import { readSpec } from "./prepare.ts";
import type { RunOptions } from "./types.ts";

/** See index.ts. */
export async function run(job: JobSpec | string, options: RunOptions = {}): Promise<RunReport> {
  const submittedAt = new Date();
  const timing = leaseTiming();
  const path = await findConnection(options.connection);
  const connection = await readConnection(path);
  // Everything slow begins early, side by side: the engine's process loads Pulumi while this one reads and plans; the cluster's
  // library is loaded while the empty stack is made, which may only be once the run is in the ledger.
  const engine = startEngine(connection);
  const contract = early(readContract(connection.contract));
  const ledger = early(openRunLedger());
  const closing: (() => void)[] = [];
  try {
    const spec = await readSpec(job);
    const stream = streamSpec(spec);
    if (stream !== undefined) throw new IsAStream(stream);
    const environment = { path, connection, contract: await contract };
    const cluster = lazyCluster(() => openRunCluster(connection, async () => await contract));
    const place = placeOf(environment, cluster, timing);
    closing.push(place.close);
    const opened = await ledger;
    const report = await runForeground(
      spec,
      { ...place, engine, ledger: opened },
      { ...options, submittedAt },
    );
    await pruneLedger(opened);
    return report;
  } finally {
    for (const close of closing) close();
    await Promise.allSettled([
      engine.close(),
      ledger.then(async (opened) => {
        await opened.close();
      }),
    ]);
  }
}

/** A promise that is awaited later: its rejection is told there, not as an unhandled one before. */
function early<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
