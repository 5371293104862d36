"""The training job of the class-data archive: walks the paths that usual jobs walk, on tiny data (see archives.sh).

What it does is thrown away. What counts is which classes the driver and the executor load on the way: RDDs with Python
functions, SQL, joins, windows, caching, text, CSV, JSON and Parquet on S3A with the magic committer.
"""

import os
from operator import add

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f
from pyspark.sql.types import IntegerType

spark = SparkSession.builder.getOrCreate()
context = spark.sparkContext
base = "s3a://training/run"
local = "file://" + os.environ["TRAINING_FOLDER"] + "/data"

# RDDs and Python workers, as in the Pi and word count examples
context.parallelize(range(1000), 4).map(lambda n: (n % 7, n)).reduceByKey(add).sortByKey().collect()
lines = context.parallelize([f"the quick brown fox {n}" for n in range(200)], 2)
lines.saveAsTextFile(base + "/lines")
words = context.textFile(base + "/lines").flatMap(lambda line: line.split(" ")).map(lambda word: (word, 1))
words.reduceByKey(add).takeOrdered(5)
total = context.accumulator(0)
known = context.broadcast({"fox"})
words.foreach(lambda pair: total.add(1 if pair[0] in known.value else 0))

# DataFrames and SQL
numbers = spark.range(0, 2000, 1, 4).withColumn("k", f.col("id") % 10).withColumn("x", f.rand(1))
names = spark.createDataFrame([(n, f"name-{n}") for n in range(10)], ["k", "name"])
numbers.join(f.broadcast(names), "k").groupBy("name").agg(f.count("*"), f.sum("x"), f.max("id")).orderBy("name").show()
spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
numbers.join(names, "k").filter("x > 0.5").groupBy("name").agg(f.countDistinct("id"), f.avg("x")).collect()
numbers.withColumn("rank", f.row_number().over(Window.partitionBy("k").orderBy(f.desc("x")))).filter("rank < 3").collect()
double = f.udf(lambda n: 2 * n, IntegerType())
numbers.select(double(f.col("k").cast("int")).alias("d")).distinct().count()
names.createOrReplaceTempView("names")
spark.sql("select upper(name) as n, count(*) from names where name like 'name-%' group by 1 order by 1 limit 5").show()
cached = numbers.cache()
cached.count()
cached.filter("k = 3").count()
cached.unpersist()

# The file formats, on S3A and on local disk; word count as a DataFrame
for root in (base, local):
    numbers.write.mode("overwrite").parquet(root + "/parquet")
    spark.read.parquet(root + "/parquet").filter("k < 5").groupBy("k").count().collect()
numbers.filter("k < 2").coalesce(1).write.mode("overwrite").partitionBy("k").parquet(base + "/partitioned")
spark.read.parquet(base + "/partitioned").where("k = 1").count()
names.coalesce(1).write.mode("overwrite").option("header", True).csv(base + "/csv")
spark.read.option("header", True).option("inferSchema", True).csv(base + "/csv").collect()
names.coalesce(1).write.mode("overwrite").json(base + "/json")
spark.read.json(base + "/json").collect()
text = spark.read.text(base + "/lines").select(f.explode(f.split("value", " ")).alias("word"))
counts = text.groupBy("word").count().orderBy(f.desc("count"), "word")
counts.coalesce(1).write.mode("overwrite").parquet(base + "/counts")
counts.show(3)

assert total.value == 200, total.value
spark.stop()
