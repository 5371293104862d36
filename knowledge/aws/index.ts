export {
  type AllocatableOptions,
  eksAllocatable,
  type NodeAllocatable,
  rootVolumeFor,
} from "./allocatable.ts";
export { type FittingType, type NodeNeed, smallestTypes } from "./fitting.ts";
export { INSTANCE_TYPES, type InstanceType, instanceType, suggestInstanceTypes } from "./instances.ts";
export { maxPods, podCeiling } from "./pods.ts";
export { onDemandPrice, PRICED_REGIONS, type Price } from "./prices.ts";
export { isRegion, REGION_CODES, regionName, suggestRegions, zonesOf } from "./regions.ts";
export { type ServicePrices, servicePrices } from "./service-prices.ts";
