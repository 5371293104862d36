#!/bin/sh
# Lays out /opt/flink in the image's own file system, as root: by chroot in the lab, by RUN in a Dockerfile.
# Usage: assemble.sh <folder with download/*flink*.tar.gz, jars/*.jar, jvm/*.args> <user name> <user id> <working folder> <S3 plugin's folder>
# Needs SOURCE_DATE_EPOCH: every file gets that time, so that the same content gives the same layer.
set -eu

build=$1 user=$2 id=$3 folder=$4 s3=$5
home=${FLINK_HOME:?}
mkdir -p "$home/cds" "$home/jvm" "$home/usrlib" "$folder" "$home/plugins"
# Here and not in /tmp: moving within a file system costs nothing.
unpacked=$(mktemp -d "$home/unpacked.XXXXXX")
trap 'rm -rf "$unpacked"' EXIT

# By hand, since useradd also touches shadow files, subordinate ids and backups.
echo "$user:x:$id:$id::$folder:/usr/sbin/nologin" >>/etc/passwd
echo "$user:x:$id:" >>/etc/group

tar -xzf "$build"/download/*flink*.tar.gz -C "$unpacked" --strip-components=1 --no-same-owner
for name in lib opt licenses; do
  mv "$unpacked/deps/$name" "$home/$name"
done
# Of the plugins that metrics go by, the one that plans name.
mv "$unpacked/deps/plugins/metrics-prometheus" "$home/plugins/"
# Divides memory as Flink's start scripts do: for looking up what Mayfly's own arithmetic must give.
mkdir "$home/bin"
mv "$unpacked/deps/bin/bash-java-utils.jar" "$home/bin/"
mkdir -p "$s3"
cp "$build"/jars/flink-s3-fs-hadoop-*.jar "$s3/"

# One class path for both roles, in a fixed order: a wildcard is expanded in the file system's order, which differs between machines.
# flink-dist goes last, as Flink's own scripts have it.
dist=$(ls "$home"/lib/flink-dist-*.jar)
others=$(ls "$home"/lib/*.jar | LC_ALL=C sort | grep -vxF "$dist")
classpath=$(printf '%s\n%s\n' "$others" "$dist" | paste -sd:)
for options in "$build"/jvm/*.args; do
  { printf -- '-cp\n%s\n' "$classpath"; cat "$options"; } >"$home/jvm/$(basename "$options")"
done

chown -R 0:0 "$home"
chmod -R u=rwX,go=rX "$home"
chown "$id:$id" "$home/cds" "$folder"
rm -rf "$unpacked"
find "$home" /etc/passwd /etc/group -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
