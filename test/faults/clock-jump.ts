// Loaded by `node --import` before all else: four seconds later this process's clock jumps, as if an administrator or NTP had set it.
// There is no libfaketime here, and other processes keep the machine's clock.
const seconds = Number(new URL(import.meta.url).searchParams.get("seconds"));
const now = Date.now.bind(Date);
const offset = (): number => (performance.now() > 4000 ? seconds * 1000 : 0);

globalThis.Date = new Proxy(Date, {
  construct: (target, args: unknown[], self) =>
    Reflect.construct(target, args.length === 0 ? [now() + offset()] : args, self) as Date,
  get: (target, name, receiver): unknown =>
    name === "now" ? () => now() + offset() : Reflect.get(target, name, receiver),
});
