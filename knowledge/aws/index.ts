export { eksAllocatable, rootVolumeFor } from "./allocatable.ts";
export { smallestTypes } from "./fitting.ts";
export { INSTANCE_TYPES, type InstanceType, instanceType, suggestInstanceTypes } from "./instances.ts";
export { maxPods } from "./pods.ts";
export { onDemandPrice } from "./prices.ts";
export { isRegion, suggestRegions, zonesOf } from "./regions.ts";
export { type ServicePrices, servicePrices } from "./service-prices.ts";
