"""Collects more on the driver than its container may hold."""

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("fail-oom").getOrCreate()
hoard = []
while True:
    hoard.append(b"x" * (16 * 1024 * 1024))
