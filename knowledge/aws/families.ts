import type { INTERFACES, NETWORK } from "./network.ts";

/** What distinguishes a family from the rule of its class (see instances.ts). */
export interface Family {
  readonly architecture: "x86_64" | "arm64";
  readonly network: keyof typeof NETWORK;
  readonly interfaces: keyof typeof INTERFACES;
  /** Local NVMe disks per size, in the order of the network row: count × GB (10^9 bytes). */
  readonly disks?: string;
}

const X86 = "x86_64";
const ARM = "arm64";

/**
 * The families of classes m, c, r and i that EC2 offers in generations 6 to 8 (i: 4, 7 and 8; there are no others), without
 * bare metal. Source and cross-check: docs/instances.md.
 */
export const FAMILIES: Readonly<Record<string, Family>> = {
  m6a: { architecture: X86, network: "amd6", interfaces: "classic" },
  m6g: { architecture: ARM, network: "graviton6", interfaces: "classic" },
  m6gd: {
    architecture: ARM,
    network: "graviton6",
    interfaces: "classic",
    disks: "1x59 1x118 1x237 1x474 1x950 1x1900 2x1425 2x1900",
  },
  m6i: { architecture: X86, network: "intel6", interfaces: "classic" },
  m6id: {
    architecture: X86,
    network: "intel6",
    interfaces: "classic",
    disks: "1x118 1x237 1x474 1x950 1x1900 2x1425 2x1900 4x1425 4x1900",
  },
  m6idn: {
    architecture: X86,
    network: "intel6n",
    interfaces: "intel6n",
    disks: "1x118 1x237 1x474 1x950 1x1900 2x1425 2x1900 4x1425 4x1900",
  },
  m6in: { architecture: X86, network: "intel6n", interfaces: "intel6n" },
  m7a: { architecture: X86, network: "amd7", interfaces: "classic" },
  m7g: { architecture: ARM, network: "graviton7", interfaces: "classic" },
  m7gd: {
    architecture: ARM,
    network: "graviton7",
    interfaces: "classic",
    disks: "1x59 1x118 1x237 1x474 1x950 1x1900 2x1425 2x1900",
  },
  m7i: { architecture: X86, network: "intel7", interfaces: "classic" },
  "m7i-flex": { architecture: X86, network: "intel7flex", interfaces: "classic" },
  m8a: { architecture: X86, network: "amd8", interfaces: "amd8" },
  m8azn: { architecture: X86, network: "m8azn", interfaces: "m8azn" },
  m8g: { architecture: ARM, network: "graviton8", interfaces: "classic" },
  m8gb: { architecture: ARM, network: "graviton8b", interfaces: "graviton8n" },
  m8gd: {
    architecture: ARM,
    network: "graviton8",
    interfaces: "classic",
    disks: "1x59 1x118 1x237 1x474 1x950 1x1900 3x950 2x1900 3x1900 6x1900",
  },
  m8gn: { architecture: ARM, network: "graviton8n", interfaces: "graviton8n" },
  m8i: { architecture: X86, network: "intel8", interfaces: "intel8" },
  "m8i-flex": { architecture: X86, network: "intel8flex", interfaces: "intel8" },
  m8ib: { architecture: X86, network: "intel8b", interfaces: "intel8n" },
  m8id: {
    architecture: X86,
    network: "intel8",
    interfaces: "intel8",
    disks: "1x118 1x237 1x474 1x950 1x1900 1x2850 1x3800 2x2850 2x3800 3x3800 6x3800",
  },
  m8idb: {
    architecture: X86,
    network: "intel8b",
    interfaces: "intel8n",
    disks: "1x118 1x237 1x474 1x950 1x1900 1x2850 1x3800 2x2850 2x3800 3x3800 6x3800",
  },
  m8idn: {
    architecture: X86,
    network: "intel8n",
    interfaces: "intel8n",
    disks: "1x118 1x237 1x474 1x950 1x1900 1x2850 1x3800 2x2850 2x3800 3x3800 6x3800",
  },
  m8in: { architecture: X86, network: "intel8n", interfaces: "intel8n" },
  m8ine: { architecture: X86, network: "intel8ne", interfaces: "intel8n" },
  c6a: { architecture: X86, network: "amd6", interfaces: "classic" },
  c6g: { architecture: ARM, network: "graviton6", interfaces: "classic" },
  c6gd: {
    architecture: ARM,
    network: "graviton6",
    interfaces: "classic",
    disks: "1x59 1x118 1x237 1x474 1x950 1x1900 2x1425 2x1900",
  },
  c6gn: { architecture: ARM, network: "graviton6n", interfaces: "classic" },
  c6i: { architecture: X86, network: "intel6", interfaces: "classic" },
  c6id: {
    architecture: X86,
    network: "intel6",
    interfaces: "classic",
    disks: "1x118 1x237 1x474 1x950 1x1900 2x1425 2x1900 4x1425 4x1900",
  },
  c6in: { architecture: X86, network: "intel6n", interfaces: "intel6n" },
  c7a: { architecture: X86, network: "amd7", interfaces: "classic" },
  c7g: { architecture: ARM, network: "graviton7", interfaces: "classic" },
  c7gd: {
    architecture: ARM,
    network: "graviton7",
    interfaces: "classic",
    disks: "1x59 1x118 1x237 1x474 1x950 1x1900 2x1425 2x1900",
  },
  c7gn: { architecture: ARM, network: "graviton7n", interfaces: "classic" },
  c7i: { architecture: X86, network: "intel7", interfaces: "classic" },
  "c7i-flex": { architecture: X86, network: "intel7flex", interfaces: "classic" },
  c8a: { architecture: X86, network: "amd8", interfaces: "amd8" },
  c8g: { architecture: ARM, network: "graviton8", interfaces: "classic" },
  c8gb: { architecture: ARM, network: "graviton8b", interfaces: "graviton8n" },
  c8gd: {
    architecture: ARM,
    network: "graviton8",
    interfaces: "classic",
    disks: "1x59 1x118 1x237 1x474 1x950 1x1900 3x950 2x1900 3x1900 6x1900",
  },
  c8gn: { architecture: ARM, network: "graviton8n", interfaces: "graviton8n" },
  c8i: { architecture: X86, network: "intel8", interfaces: "intel8" },
  "c8i-flex": { architecture: X86, network: "intel8flex", interfaces: "intel8" },
  c8ib: { architecture: X86, network: "intel8b", interfaces: "intel8n" },
  c8id: {
    architecture: X86,
    network: "intel8",
    interfaces: "intel8",
    disks: "1x118 1x237 1x474 1x950 1x1900 1x2850 1x3800 2x2850 2x3800 3x3800 6x3800",
  },
  c8in: { architecture: X86, network: "intel8n", interfaces: "intel8n" },
  c8ine: { architecture: X86, network: "intel8ne", interfaces: "intel8n" },
  r6a: { architecture: X86, network: "amd6", interfaces: "classic" },
  r6g: { architecture: ARM, network: "graviton6", interfaces: "classic" },
  r6gd: {
    architecture: ARM,
    network: "graviton6",
    interfaces: "classic",
    disks: "1x59 1x118 1x237 1x474 1x950 1x1900 2x1425 2x1900",
  },
  r6i: { architecture: X86, network: "intel6", interfaces: "classic" },
  r6id: {
    architecture: X86,
    network: "intel6",
    interfaces: "classic",
    disks: "1x118 1x237 1x474 1x950 1x1900 2x1425 2x1900 4x1425 4x1900",
  },
  r6idn: {
    architecture: X86,
    network: "intel6n",
    interfaces: "intel6n",
    disks: "1x118 1x237 1x474 1x950 1x1900 2x1425 2x1900 4x1425 4x1900",
  },
  r6in: { architecture: X86, network: "intel6n", interfaces: "intel6n" },
  r7a: { architecture: X86, network: "amd7", interfaces: "classic" },
  r7g: { architecture: ARM, network: "graviton7", interfaces: "classic" },
  r7gd: {
    architecture: ARM,
    network: "graviton7",
    interfaces: "classic",
    disks: "1x59 1x118 1x237 1x474 1x950 1x1900 2x1425 2x1900",
  },
  r7i: { architecture: X86, network: "intel7", interfaces: "classic" },
  r7iz: { architecture: X86, network: "r7iz", interfaces: "classic" },
  r8a: { architecture: X86, network: "amd8", interfaces: "amd8" },
  r8g: { architecture: ARM, network: "graviton8", interfaces: "classic" },
  r8gb: { architecture: ARM, network: "r8gb", interfaces: "graviton8n" },
  r8gd: {
    architecture: ARM,
    network: "graviton8",
    interfaces: "classic",
    disks: "1x59 1x118 1x237 1x474 1x950 1x1900 3x950 2x1900 3x1900 6x1900",
  },
  r8gn: { architecture: ARM, network: "graviton8n", interfaces: "graviton8n" },
  r8i: { architecture: X86, network: "intel8", interfaces: "intel8" },
  "r8i-flex": { architecture: X86, network: "intel8flex", interfaces: "intel8" },
  r8ib: { architecture: X86, network: "intel8b", interfaces: "intel8n" },
  r8id: {
    architecture: X86,
    network: "intel8",
    interfaces: "intel8",
    disks: "1x118 1x237 1x474 1x950 1x1900 1x2850 1x3800 2x2850 2x3800 3x3800 6x3800",
  },
  r8idb: {
    architecture: X86,
    network: "intel8b",
    interfaces: "intel8n",
    disks: "1x118 1x237 1x474 1x950 1x1900 1x2850 1x3800 2x2850 2x3800 3x3800 6x3800",
  },
  r8idn: {
    architecture: X86,
    network: "intel8n",
    interfaces: "intel8n",
    disks: "1x118 1x237 1x474 1x950 1x1900 1x2850 1x3800 2x2850 2x3800 3x3800 6x3800",
  },
  r8in: { architecture: X86, network: "intel8n", interfaces: "intel8n" },
  i4g: {
    architecture: ARM,
    network: "i4g",
    interfaces: "classic",
    disks: "1x468 1x937 1x1875 1x3750 2x3750 4x3750",
  },
  i4i: {
    architecture: X86,
    network: "i4i",
    interfaces: "i4i",
    disks: "1x468 1x937 1x1875 1x3750 2x3750 3x3750 4x3750 6x3750 8x3750",
  },
  i7i: {
    architecture: X86,
    network: "i7i",
    interfaces: "classic",
    disks: "1x468 1x937 1x1875 1x3750 2x3750 3x3750 4x3750 6x3750 12x3750",
  },
  i7ie: {
    architecture: X86,
    network: "i7ie",
    interfaces: "i7ie",
    disks: "1x1250 1x2500 2x2500 1x7500 2x7500 4x7500 6x7500 8x7500 16x7500",
  },
  i8g: {
    architecture: ARM,
    network: "i8g",
    interfaces: "classic",
    disks: "1x468 1x937 1x1875 1x3750 2x3750 3x3750 4x3750 6x3750 12x3750",
  },
  i8ge: {
    architecture: ARM,
    network: "i8ge",
    interfaces: "i8ge",
    disks: "1x1250 1x2500 2x2500 1x7500 2x7500 4x7500 6x7500 8x7500 16x7500",
  },
};
