#!/bin/sh
# Checks the word count's result against an independent count of the same input by tr, sort and uniq.
# Usage: check.sh [s3://input/] [s3://output/] [engine]      prints "equal" and exits 0, or the first differences and exits 1.
set -eu
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd -P)
mayfly=$here/../../bin/mayfly
input=${1:-s3://demo-input/wordcount/}
output=${2:-s3://demo-output/wordcount/}
engine=${3:-Spark}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

"$mayfly" lab s3 cat "$output" | sort >"$work/counted"
"$mayfly" lab s3 cat "$input" |
  tr -cs 'A-Za-z' '\n' | tr 'A-Z' 'a-z' | sed '/^$/d' | sort -S 1G | uniq -c |
  sed -E 's/^ *([0-9]+) (.*)$/\2,\1/' | sort >"$work/independent"

if ! [ -s "$work/independent" ]; then
  echo "no words under $input: nothing to compare" >&2
  exit 1
fi
if diff "$work/independent" "$work/counted" >"$work/difference"; then
  echo "equal: $(wc -l <"$work/counted") different words, counted by $engine and by sort | uniq -c"
else
  echo "different (< sort | uniq -c, > $engine):" >&2
  head -n 20 "$work/difference" >&2
  exit 1
fi
