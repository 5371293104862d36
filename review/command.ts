import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { UserError } from "../base/errors.ts";
import { projectDir } from "../base/paths.ts";
import { exitCodeOf, STOPPED_EXIT } from "./exit.ts";
import type { Review } from "./types.ts";

const HELP = `
The real Pulumi engine runs the environment's program; the cloud and the cluster are stand-ins on this machine.
It needs no account, makes nothing, and says so on everything it prints (docs/preview.md).

Compared with, unless --against says otherwise: the commit at HEAD where config or program differ from it,
else nothing. A ref stands for where HEAD parted from it, so that main is right for a pull request.

Exit codes:
  0    reviewed                            14   a mandatory policy is broken, or something protected would go
  64   wrong command line                  65   invalid config, or the program failed
  66   no such environment, ref or file    69   this machine lacks something
  70   a bug of Mayfly                     130  stopped by Ctrl-C

Examples:
  $ npm run preview -- prod
  $ npm run preview -- prod --against main --markdown review.md
  $ npm run preview -- prod --against nothing
  $ npm run preview -- prod --against Pulumi.dev.yaml
  $ bin/node review/main.ts prod --json --quiet | jq .totals`;

/** The command line of `npm run preview`. Loads the engine when it runs, so that `--help` is quick. */
export const previewCommand = () =>
  new Command("npm run preview --")
    .description("review what an environment's config would change, without any cloud account")
    .argument("<environment>", "the environment: prod for Pulumi.prod.yaml")
    .option("--against <base>", "what to compare with: a git ref, a config file, or nothing")
    .option("--markdown <file>", "write the review as Markdown too, for a pull request")
    .option("--json", "print JSON on standard output instead of text")
    .option("--no-policy", "do not check Mayfly's policies (policy/)")
    .option("--policy", "check them (the default)")
    .option("--quiet", "no progress on standard error")
    .showHelpAfterError("(add --help for the options and examples)")
    .exitOverride()
    .addHelpText("after", HELP)
    .action(async (stack, options) => {
      const stop = stopOnSignal();
      try {
        const { reviewEnvironment } = await import("./run.ts");
        const review = await reviewEnvironment({
          projectDir,
          stack,
          against: options.against,
          folder: whereTyped(),
          policy: options.policy !== false,
          quiet: options.quiet,
          signal: stop.signal,
        });
        await print(review, options);
        process.exitCode = exitCodeOf(review);
      } catch (error) {
        // Whatever failed after Ctrl-C failed because of it.
        if (!stop.signal.aborted) throw error;
        throw new UserError("stopped", "Stopped.", { exitCode: STOPPED_EXIT, cause: error });
      } finally {
        stop.release();
      }
    });

async function print(
  review: Review,
  { json, markdown }: { readonly json?: true | undefined; readonly markdown?: string | undefined },
): Promise<void> {
  if (markdown !== undefined) {
    const { renderMarkdown } = await import("./markdown.ts");
    try {
      await writeFile(asTyped(markdown), renderMarkdown(review));
    } catch (cause) {
      throw new UserError("file-not-written", "The Markdown file can't be written.", {
        path: markdown,
        cause,
      });
    }
  }
  if (json === true) {
    const { renderJson } = await import("./json.ts");
    process.stdout.write(renderJson(review, process.stdout.isTTY ? 2 : undefined));
    return;
  }
  const { renderTerminal } = await import("./terminal.ts");
  const { isTTY, columns } = process.stdout;
  const colour = isTTY && process.stdout.hasColors() && process.env["NO_COLOR"] === undefined;
  process.stdout.write(`${renderTerminal(review, { colour, width: isTTY ? columns : 110 })}\n`);
}

/** Where the user stands: npm runs scripts in the project's root, and says where it was called. */
const whereTyped = (): string => process.env["INIT_CWD"] ?? process.cwd();

const asTyped = (path: string): string => resolve(whereTyped(), path);

/** The first Ctrl-C asks to stop and clean up, the second ends at once. */
function stopOnSignal(): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(STOPPED_EXIT);
    process.stderr.write("Stopping; once more ends at once.\n");
    controller.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    release: () => {
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    },
  };
}
