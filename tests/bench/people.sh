#!/bin/sh
# people.sh PEOPLE: makes the database `people` of the server that PG* names, with so many
# made-up people as of 2026-04-01, unless it is there. Benchmarks never change it.
set -eu
stratify=${STRATIFY:-build/release/stratify}
sql() { psql -AtXq -d postgres -v ON_ERROR_STOP=1 "$@"; }

[ "$(sql -c "select count(*) from pg_database where datname = 'people'")" = 0 ] || exit 0
echo "bench: making $1 people" >&2
sql -c "drop database if exists making" -c "create database making"
PGDATABASE=making "$stratify" synth --people "$1" --as-of 2026-04-01 -q
sql -c "alter database making rename to people" -c "checkpoint"
