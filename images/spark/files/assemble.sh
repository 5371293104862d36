#!/bin/sh
# Lays out /opt/spark in the image's own file system, as root: by chroot in the lab, by RUN in a Dockerfile.
# Usage: assemble.sh <folder with download/pyspark-*.tar.gz, jars/*.jar, jvm/*.args> <user name> <user id> <working folder>
# Needs SOURCE_DATE_EPOCH: every file gets that time, since class-data archives are refused if a jar's time differs from when
# the archive was made, and layers keep whole seconds only.
set -eu

build=$1 user=$2 id=$3 folder=$4
home=${SPARK_HOME:?}
mkdir -p "$home/conf" "$home/cds" "$home/jvm" "$home/python" "$folder"
# Here and not in /tmp: moving within a file system costs nothing.
unpacked=$(mktemp -d "$home/unpacked.XXXXXX")
trap 'rm -rf "$unpacked"' EXIT

# By hand, since useradd also touches shadow files, subordinate ids and backups.
echo "$user:x:$id:$id::$folder:/usr/sbin/nologin" >>/etc/passwd
echo "$user:x:$id:" >>/etc/group

tar -xzf "$build"/download/pyspark-*.tar.gz -C "$unpacked" --strip-components=1 --no-same-owner
for name in bin data examples jars licenses sbin; do
  mv "$unpacked/deps/$name" "$home/$name"
done
rm -f "$home"/bin/*.cmd
cp "$build"/jars/*.jar "$home/jars/"

# The compiler of SQL's generated code is signed with a key named DUMMY, which vouches for nothing; but the JVM keeps signed classes
# out of class-data archives, and checks each one that it loads. Without these signatures a first SQL query takes less time.
python3 - "$home"/jars/janino-*.jar "$home"/jars/commons-compiler-*.jar <<'END'
import os, sys, zipfile
for path in sys.argv[1:]:
    with zipfile.ZipFile(path) as signed, zipfile.ZipFile(path + ".new", "w", zipfile.ZIP_DEFLATED) as unsigned:
        for entry in signed.infolist():
            if entry.filename not in ("META-INF/DUMMY.SF", "META-INF/DUMMY.DSA"):
                unsigned.writestr(entry, signed.read(entry))
    os.replace(path + ".new", path)
END

# pyspark and py4j as plain folders with compiled files, in place of the zips: a zip without compiled files is compiled anew by each
# Python process: 0.65 CPU-seconds against 0.15. Hash-based, since the time of a source file says nothing here and /opt is read-only.
mv "$unpacked/pyspark" "$home/python/pyspark"
python3 - "$unpacked"/lib/py4j-*-src.zip "$home/python" <<'END'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    archive.extractall(sys.argv[2], [name for name in archive.namelist() if name.startswith("py4j/")])
END
rm -rf "$home/python/pyspark/tests" "$home"/python/pyspark/*/tests
# Spark itself puts lib/pyspark.zip on the path of the Python processes it starts, whatever PYTHONPATH says: it is found there too.
mkdir "$home/python/lib"
ln -s .. "$home/python/lib/pyspark.zip"
python3 -m compileall -q --invalidation-mode unchecked-hash "$home/python/pyspark" "$home/python/py4j"

# One class path for all roles, in a fixed order: a wildcard is expanded in the file system's order, which differs between machines,
# and an archive counts only for the class path that it was made with. slf4j-api goes first, as Spark 4's launcher has it; conf/ last.
slf4j=$(ls "$home"/jars/slf4j-api-*.jar)
others=$(ls "$home"/jars/*.jar | LC_ALL=C sort | grep -vxF "$slf4j")
classpath=$(printf '%s\n%s\n%s/conf\n' "$slf4j" "$others" "$home" | paste -sd:)
for options in "$build"/jvm/*.args; do
  { printf -- '-cp\n%s\n' "$classpath"; cat "$options"; } >"$home/jvm/$(basename "$options")"
done

chown -R 0:0 "$home"
chmod -R u=rwX,go=rX "$home"
chown "$id:$id" "$home/cds" "$folder"
rm -rf "$unpacked"
find "$home" /etc/passwd /etc/group -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
