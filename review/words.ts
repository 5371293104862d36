import type { Change, ComparedWith, Money } from "./types.ts";

/** What a change is called in lists. */
export const CHANGE_WORDS: Readonly<Record<Change, string>> = {
  replace: "replace",
  delete: "delete",
  update: "update",
  create: "create",
  read: "look up",
  same: "unchanged",
};

/** Pulumi's own marks. */
export const CHANGE_MARKS: Readonly<Record<Change, string>> = {
  replace: "+-",
  delete: "-",
  update: "~",
  create: "+",
  read: ">",
  same: " ",
};

/** `1 resource`, `3 resources`. */
export const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** `$8,240`, `€0.35`: cents only where they matter. */
export function formatMoney(amount: number, currency: string): string {
  const digits = Math.abs(amount) < 10 && !Number.isInteger(amount) ? 2 : 0;
  return new Intl.NumberFormat("en-US", {
    style: "currency",
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(amount);
}

/** `$0.6528`: prices of an hour need more digits. */
export const formatHourly = (amount: number, currency: string): string =>
  new Intl.NumberFormat("en-US", {
    style: "currency",
    currency,
    minimumFractionDigits: 2,
    maximumFractionDigits: 4,
  }).format(amount);

/** `$0 to $17,094`, `$73`. */
export function formatRange({ currency, floor, ceiling }: Money): string {
  const low = formatMoney(floor, currency);
  const high = formatMoney(ceiling, currency);
  return low === high ? low : `${low} to ${high}`;
}

/** `+ $412 to + $8,240 a month`, `no change`. */
export function formatChange({ currency, floor, ceiling }: Money): string {
  const signed = (amount: number): string =>
    amount === 0
      ? formatMoney(0, currency)
      : `${amount < 0 ? "-" : "+"} ${formatMoney(Math.abs(amount), currency)}`;
  const [low, high] = [signed(rounded(floor)), signed(rounded(ceiling))];
  if (rounded(floor) === 0 && rounded(ceiling) === 0) return "no change";
  return `${low === high ? low : `${low} to ${high}`} a month`;
}

/** Whole cents: what binary fractions leave behind is no change. */
const rounded = (amount: number): number => Math.round(amount * 100) / 100;

/** `3 replaced, 1 deleted, 2 updated, 10 created`; `no changes`. */
export function formatCounts(changes: Readonly<Record<Change, number>>): string {
  const words = [
    ["replace", "replaced"],
    ["delete", "deleted"],
    ["update", "updated"],
    ["create", "created"],
  ] as const;
  const parts = words.flatMap(([change, word]) =>
    changes[change] === 0 ? [] : [`${changes[change]} ${word}`],
  );
  return parts.length === 0 ? "no changes" : parts.join(", ");
}

/** `Pulumi.prod.yaml at commit abc1234 (main)`; `nothing, as for the first pulumi up`. */
export function formatComparedWith(with_: ComparedWith): string {
  switch (with_.kind) {
    case "commit": {
      const what = with_.programDiffers ? `${with_.file} and the program` : with_.file;
      return `${what} at commit ${with_.commit}${with_.ref === with_.commit ? "" : ` (${with_.ref})`}`;
    }
    case "file":
      return `${with_.file}, with today's program`;
    case "nothing":
      return `nothing, as for the first pulumi up (${with_.why})`;
  }
}
