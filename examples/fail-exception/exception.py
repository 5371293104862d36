"""Fails in an executor: the Python exception travels through Java to the driver."""

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("fail-exception").getOrCreate()


def invoice_total(line: str) -> float:
    return float(line)


print(spark.sparkContext.parallelize(["12.50", "7,80"], 2).map(invoice_total).sum())
