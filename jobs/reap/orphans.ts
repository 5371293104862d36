// What is an orphan: facts in, list out. Whatever is in doubt is none.
import { LIVE_STATES } from "../ledger/index.ts";
import { runNames } from "../plan/names.ts";
import {
  type LeaseFact,
  type NamespaceFact,
  ORPHAN_KINDS,
  type Orphan,
  type ReapFacts,
  type RunFact,
  type StackFact,
} from "./types.ts";

/**
 * A lease that was renewed as recently protects its run, whatever the ledger says and however short the grace time: a lease lasts
 * 30 s, and its holder's clock may be off by a minute (docs/leases.md).
 */
export const LEASE_LIVES_MS = 120_000;

/** The engine's folders are named after the end of the stack's name: jobs/engine/workplace.ts. */
const FOLDER_STACK_CHARACTERS = 40;

/** Attempts of which things may be left where the ledger does not say how many there were. */
const ATTEMPTS = 20;

/** The most a run's budgets allow beyond what the ledger has: the next attempt's things are there before its row says so. */
const AHEAD = 1;

/** Lists what belongs to no live run, in the order in which it should be removed. Pure. */
export function orphans(facts: ReapFacts): readonly Orphan[] {
  const book = bookOf(facts);
  const stacks = facts.stacks.flatMap((stack) => ofStack(stack, facts, book));
  const found = [
    ...stacks,
    ...facts.namespaces.flatMap((namespace) => ofNamespace(namespace, facts, book)),
    ...facts.leases.flatMap((lease) => ofLease(lease, facts, book)),
    ...ofLocks(facts, book),
    ...ofFolders(facts, book),
  ];
  return found.toSorted(
    (a, b) =>
      ORPHAN_KINDS.indexOf(a.kind) - ORPHAN_KINDS.indexOf(b.kind) ||
      a.since - b.since ||
      compare(`${a.name} ${a.id}`, `${b.name} ${b.id}`),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** What is known of runs, by id and by the names of their stacks (which are their namespaces' too). */
interface Book {
  readonly runs: ReadonlyMap<string, RunFact>;
  readonly stacks: ReadonlyMap<string, RunFact>;
  /** Runs whose lease somebody renews. */
  readonly held: ReadonlySet<string>;
  /** Names of stacks that those may have. */
  readonly heldStacks: ReadonlySet<string>;
}

type Standing =
  | { readonly kind: "live" }
  | { readonly kind: "ended"; readonly row: RunFact }
  | { readonly kind: "unknown" };

function bookOf(facts: ReapFacts): Book {
  const live = facts.leases.filter((lease) => isHeld(lease, facts));
  return {
    runs: new Map(facts.runs.map((row) => [row.run, row])),
    stacks: new Map(facts.runs.flatMap((row) => stacksOf(row).map((stack) => [stack, row] as const))),
    held: new Set(live.flatMap(({ labels }) => labels["mayfly.dev/run"] ?? [])),
    heldStacks: new Set(
      live.flatMap(({ labels }) =>
        namesOf(labels["mayfly.dev/tenant"] ?? "", labels["mayfly.dev/run"] ?? "", ATTEMPTS),
      ),
    ),
  };
}

const namesOf = (tenant: string, run: string, attempts: number): string[] =>
  Array.from({ length: attempts }, (_, index) => runNames(tenant, "", run, index + 1).stack);

const stacksOf = ({ tenant, run, attempt, stack }: RunFact): string[] => [
  ...namesOf(tenant, run, attempt + AHEAD),
  ...(stack === undefined ? [] : [stack]),
];

/** Whether somebody works by it, or did a moment ago. A time to come is another machine's clock. */
const isHeld = ({ holder, renewedAt, createdAt }: LeaseFact, { now, graceMs }: ReapFacts): boolean =>
  holder !== "" && now - (renewedAt ?? createdAt ?? now) < Math.max(graceMs, LEASE_LIVES_MS);

const isLive = ({ state }: RunFact): boolean => LIVE_STATES.some((live) => live === state);

/** How a run stands, by its id as far as it is known, and by the name of its stack. */
function standing(run: string | undefined, stack: string, facts: ReapFacts, book: Book): Standing {
  if ((run !== undefined && book.held.has(run)) || book.heldStacks.has(stack)) return { kind: "live" };
  const rows = [run === undefined ? undefined : book.runs.get(run), book.stacks.get(stack)].filter(
    (row) => row !== undefined,
  );
  // One that has just ended may still be told so by the helper that removes it.
  if (rows.some((row) => isLive(row) || !isOld(row.endedAt, facts))) return { kind: "live" };
  const [row] = rows;
  return row === undefined ? { kind: "unknown" } : { kind: "ended", row };
}

/** What has no time, or one to come, is not old. */
const isOld = (time: number | undefined, { now, graceMs }: ReapFacts): boolean =>
  time !== undefined && now - time >= graceMs;

const say = (found: Exclude<Standing, { kind: "live" }>): Pick<Orphan, "ofRun" | "why"> =>
  found.kind === "ended"
    ? { ofRun: "ended", why: `its run has ended: ${found.row.state}` }
    : { ofRun: "unknown", why: "this ledger knows of no such run" };

/** Whether Mayfly made it for a run of this environment: by its labels, and by its name, which follows from them. */
export function isOurs({ name, labels }: NamespaceFact, facts: ReapFacts): boolean {
  const [tenant, run, attempt, job] = ["tenant", "run", "attempt", "job"].map(
    (key) => labels[`mayfly.dev/${key}`],
  );
  if (tenant === undefined || run === undefined || job === undefined) return false;
  return (
    labels["app.kubernetes.io/managed-by"] === "mayfly" &&
    labels["mayfly.dev/environment"] === facts.environment &&
    labels["mayfly.dev/role"] === "run" &&
    !facts.tenantNamespaces.includes(name) &&
    /^[1-9]\d{0,5}$/.test(attempt ?? "") &&
    name === runNames(tenant, job, run, Number(attempt)).namespace
  );
}

function ofNamespace(namespace: NamespaceFact, facts: ReapFacts, book: Book): readonly Orphan[] {
  const { name, uid, labels, createdAt } = namespace;
  if (!isOurs(namespace, facts) || createdAt === undefined || !isOld(createdAt, facts)) return [];
  const run = labels["mayfly.dev/run"];
  const found = standing(run, name, facts, book);
  if (found.kind === "live") return [];
  const said = say(found);
  const why = namespace.terminating ? `${said.why}; it is being deleted` : said.why;
  return [{ kind: "namespace", name, id: uid, run, since: createdAt, ...said, why }];
}

function ofStack(stack: StackFact, facts: ReapFacts, book: Book): readonly Orphan[] {
  const { stack: name, path, changedAt, state } = stack;
  if (!isOld(changedAt, facts)) return [];
  // Its namespace must be an orphan too, if there is one: it may be younger, or not ours.
  const namespace = facts.namespaces.find((one) => one.name === name);
  if (namespace !== undefined && ofNamespace(namespace, facts, book).length === 0) return [];
  // What another environment's state lists is in a cluster where we don't look, and would be forgotten there.
  const environment = book.stacks.get(name)?.environment ?? state?.environment;
  if (environment !== undefined && environment !== facts.environment) return [];
  if (environment === undefined && state !== undefined && state.objects > 0) return [];
  const said = state?.run ?? namespace?.labels["mayfly.dev/run"];
  const found = standing(said, name, facts, book);
  if (found.kind === "live") return [];
  const { ofRun, why } = say(found);
  return [
    {
      kind: state === undefined ? "state" : "stack",
      name,
      id: `${path} ${changedAt}`,
      run: said ?? book.stacks.get(name)?.run,
      since: changedAt,
      ofRun,
      why: state === undefined ? `${why}; its state can't be read` : why,
    },
  ];
}

function ofLease(lease: LeaseFact, facts: ReapFacts, book: Book): readonly Orphan[] {
  const { namespace, name, uid, resourceVersion, labels, createdAt, renewedAt } = lease;
  const since = renewedAt ?? createdAt;
  const run = labels["mayfly.dev/run"];
  if (
    since === undefined ||
    !isOld(createdAt, facts) ||
    !isOld(since, facts) ||
    run !== name ||
    labels["app.kubernetes.io/managed-by"] !== "mayfly" ||
    labels["mayfly.dev/environment"] !== facts.environment ||
    !facts.tenantNamespaces.includes(namespace)
  )
    return [];
  const found = standing(run, runNames(labels["mayfly.dev/tenant"] ?? "", "", run, 1).stack, facts, book);
  if (found.kind === "live") return [];
  const id = `${uid} ${resourceVersion}`;
  return [{ kind: "lease", name: `${namespace}/${name}`, id, run, since, ...say(found) }];
}

/** Locks without a stack. One of a stack that is there goes with it. */
function ofLocks(facts: ReapFacts, book: Book): readonly Orphan[] {
  const stacks = new Set(facts.stacks.map(({ stack }) => stack));
  return facts.locks.flatMap(({ stack, path, changedAt, ownerLives }): readonly Orphan[] => {
    if (stacks.has(stack) || ownerLives === true || !isOld(changedAt, facts)) return [];
    const found = standing(undefined, stack, facts, book);
    if (found.kind === "live") return [];
    const { ofRun, why } = say(found);
    const run = book.stacks.get(stack)?.run;
    const id = `${path} ${changedAt}`;
    return [
      { kind: "lock", name: stack, id, run, since: changedAt, ofRun, why: `${why}; there is no such stack` },
    ];
  });
}

/** Of this machine only, and a process that works in one is seen: so these are never of another ledger's live run. */
function ofFolders(facts: ReapFacts, book: Book): readonly Orphan[] {
  const rows = new Map(
    [...book.stacks].map(([stack, row]) => [stack.slice(-FOLDER_STACK_CHARACTERS), row] as const),
  );
  return facts.folders.flatMap(({ name, path, changedAt, inUse }): readonly Orphan[] => {
    if (inUse !== false || !isOld(changedAt, facts)) return [];
    const row = rows.get(name.replace(/-[^-]{6}$/, ""));
    if (row !== undefined && isLive(row)) return [];
    const id = `${path} ${changedAt}`;
    const why = "no process works in it";
    return [{ kind: "folder", name, id, run: row?.run, since: changedAt, ofRun: "ended", why }];
  });
}
