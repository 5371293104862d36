"""Waits for something that never comes."""

import time

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("fail-deadline").getOrCreate()
while True:
    time.sleep(1)
