"""Says itself that its input is not good enough, by its exit code."""

import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("fail-exit-code").getOrCreate()
rows = spark.range(3).count()
print(f"expected at least 1000 rows, found {rows}", file=sys.stderr)
spark.stop()
sys.exit(3)
