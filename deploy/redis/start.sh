#!/bin/sh
# Runs Redis. When it ends because it cannot load its append-only file, that is noted beside its socket (redis/damage.ts), so that whoever
# looks for Redis there can say so, and in the log.
#   start.sh FOLDER NOTE redis-server …
# FOLDER has appendonlydir in it.
manifest=$1/appendonlydir/appendonly.aof.manifest note=$2
shift 2
rm -f "$note"
"$@" &
redis=$!
trap 'kill -TERM "$redis"' TERM INT
wait "$redis"
code=$?
# A signal ends the wait, and not yet Redis.
while kill -0 "$redis" 2>/dev/null; do
  wait "$redis"
  code=$?
done
# What Redis ends with when something is wrong before it serves; the check decides whether it was the file.
if [ "$code" -eq 1 ] && [ -e "$manifest" ] && ! redis-check-aof "$manifest" >/dev/null 2>&1 </dev/null; then
  : >"$note"
  echo 'Redis does not load its append-only file. Never delete it: docs/operations.md, "Redis does not start", has the command.' >&2
fi
exit "$code"
