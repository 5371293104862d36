import { z } from "zod";
import { parseCpu, parseDuration, parseMemory } from "./quantity.ts";

/** A DNS label (RFC 1123): what Kubernetes takes as the name of a namespace, a Service or a label value's core. */
export const dnsLabel = (maxLength = 63) =>
  z
    .string()
    .max(maxLength, `must have at most ${maxLength} characters`)
    .regex(
      /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
      "must be lower-case letters, digits and dashes, begin with a letter and end with a letter or digit",
    );

/** Memory or storage as a Kubernetes quantity with a binary unit; never a bare number. */
export const Memory = z
  .string("must be a quantity with its unit in quotes or plain, such as 512Mi or 2Gi")
  .refine(
    (text) => parseMemory(text) !== undefined,
    "must be a positive quantity with the unit Mi, Gi or Ti, such as 512Mi or 2Gi",
  )
  .meta({ examples: ["512Mi", "2Gi"], pattern: "^\\d+(\\.\\d+)?(Mi|Gi|Ti)$" });

/** CPU as a Kubernetes quantity: `500m` (millicores), or cores as text such as `"1.5"`. */
export const Cpu = z
  .string('must be a CPU quantity as text, such as 500m or "1.5"')
  .refine((text) => parseCpu(text) !== undefined, 'must be a positive CPU quantity such as 500m or "1.5"')
  .meta({ examples: ["500m", "2"], pattern: "^(\\d+m|\\d+(\\.\\d{1,3})?)$" });

/** A duration with its unit: `90s`, `15m`, `1h30m`, or ISO 8601 such as `PT15M`. */
export const Duration = z
  .string("must be a duration with its unit, such as 90s, 15m or PT15M")
  .refine(
    (text) => parseDuration(text) !== undefined,
    "must be a positive duration with its unit, such as 90s, 15m, 1h30m or PT15M",
  )
  .meta({
    examples: ["90s", "15m", "PT1H30M"],
    pattern: "^(?=.*\\d)(P(\\d+D)?(T(\\d+H)?(\\d+M)?(\\d+S)?)?|(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?)$",
  });

/** `s3://bucket/key`. */
export const S3Url = z
  .string()
  .regex(/^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/\S+$/, "must be an S3 URL such as s3://bucket/path/file");

/** A file that an image brings: `local:///opt/spark/…`. */
export const ImageFileUrl = z
  .string()
  .regex(/^local:\/\/\/\S+$/, "must be a path inside the image such as local:///opt/spark/app.py");

/** Code of a job: in S3, or brought by the image. */
export const CodeUrl = z
  .union(
    [S3Url, ImageFileUrl],
    "must be s3://bucket/key or a file in the image such as local:///opt/spark/app.py",
  )
  .describe("s3://bucket/key, or local:///path of a file in the image.");

/** A folder in S3: `s3://bucket`, `s3://bucket/a/b`, with or without a slash at the end. */
export const S3Folder = z
  .string()
  .regex(
    /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/[^\s?#]*)?$/,
    "must be an S3 folder such as s3://bucket/path/",
  );

/** `com.example.Main` */
export const JavaClass = z
  .string()
  .regex(
    /^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$/,
    "must be a fully qualified class name such as com.example.Main",
  );

/** Millicores in computed documents (plan, contract, report). */
export const Millicores = z.int().positive();
/** MiB in computed documents (plan, contract, report). */
export const Mib = z.int().positive();
/** Whole seconds in computed documents. */
export const Seconds = z.int().positive();
/** Kubernetes labels or selectors. */
export const Labels = z.record(z.string(), z.string());
