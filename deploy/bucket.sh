#!/bin/sh
# Makes the bucket, once. Runs in the object store's network namespace: its administration listens nowhere else.
set -eu
shell() { echo "$1" | /usr/bin/weed shell -master=127.0.0.1:9333; }

for _ in $(seq 30); do
    shell s3.bucket.list | grep -qw trainyard && exit
    shell "s3.bucket.create -name trainyard" || sleep 1
done
echo "the bucket could not be made" >&2
exit 1
