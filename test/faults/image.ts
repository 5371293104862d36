export { importStandIn, STAND_IN } from "../harness/stand-in.ts";
