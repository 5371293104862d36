"""Counts the words of all texts under a folder and writes `word,count` as CSV, most frequent first.

A word is a run of the letters A to Z, upper and lower case alike. Everything else parts words, so that
`LC_ALL=C tr -cs A-Za-z '\\n' | tr A-Z a-z | sort | uniq -c` counts the same.

Usage: wordcount.py s3://bucket/input/ s3://bucket/output/
"""

import sys
from string import ascii_lowercase, ascii_uppercase

from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def main(source: str, target: str) -> None:
    spark = SparkSession.builder.appName("wordcount").getOrCreate()
    lines = spark.read.text(source)
    letters = F.translate(F.col("value"), ascii_uppercase, ascii_lowercase)
    words = lines.select(F.explode(F.split(letters, "[^a-z]+")).alias("word")).where(F.col("word") != "")
    counts = words.groupBy("word").count().orderBy(F.desc("count"), "word").coalesce(1).cache()
    counts.write.mode("overwrite").csv(target)
    total = counts.agg(F.sum("count")).first()[0] or 0
    print(f"{total} words, {counts.count()} different, written to {target}")
    spark.stop()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
