#!/bin/sh
# Creates the bucket if it does not exist. Runs in the object store's network namespace, where its administration listens.
set -eu
shell() { echo "$1" | /usr/bin/weed shell -master=127.0.0.1:9333; }

for _ in $(seq 30); do
    shell s3.bucket.list | grep -qw trainyard && exit
    shell "s3.bucket.create -name trainyard" || sleep 1
done
echo "the bucket could not be made" >&2
exit 1
