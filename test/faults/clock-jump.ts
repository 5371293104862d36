// Loaded by `node --import` before all else: after a while (default 4 s; 0: from the start) this process's clock is wrong by so many
// seconds, as if an administrator or NTP had set it. There is no libfaketime here, and other processes keep the machine's clock.
const { searchParams } = new URL(import.meta.url);
const seconds = Number(searchParams.get("seconds"));
const after = Number(searchParams.get("after") ?? 4000);
const now = Date.now.bind(Date);
const offset = (): number => (performance.now() >= after ? seconds * 1000 : 0);

globalThis.Date = new Proxy(Date, {
  construct: (target, args: unknown[], self) =>
    Reflect.construct(target, args.length === 0 ? [now() + offset()] : args, self) as Date,
  get: (target, name, receiver): unknown =>
    name === "now" ? () => now() + offset() : Reflect.get(target, name, receiver),
});
