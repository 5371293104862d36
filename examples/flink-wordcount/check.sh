#!/bin/sh
# Checks the result of Flink's word count like that of Spark's: against an independent count by tr, sort and uniq.
# Usage: check.sh [s3://input/] [s3://output/]
exec sh "$(dirname "$0")/../wordcount/check.sh" "${1:-s3://demo-input/wordcount/}" "${2:-s3://demo-output/flink-wordcount/}" Flink
