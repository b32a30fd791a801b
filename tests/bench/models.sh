#!/bin/sh
# models.sh [PEOPLE]: what scoring costs (make bench-models), for 500000 people unless said.
#
# First counting and arithmetic alone, on made-up events in memory; then every model of the
# library, and a tree model of 500 trees of depth 6, on the made-up people of `make bench`.
# Prints one line a figure, in nanoseconds:
#   bench NAME median=X min=X max=X pairs=ROUNDS people=N
# BENCH_MODELS names another program.
set -eu
cd "$(dirname "$0")/../.."
program=${BENCH_MODELS:-build/release/bench-models}
configs=build/bench/configs

# On the server that PG* names.
if [ "${1:-}" = --library ]; then
    tests/bench/people.sh "$2"
    PGDATABASE=people
    export PGDATABASE
    exec "$program" "$2" "$configs/library.yaml"
fi

people=${1:-500000}
"$program" "$people"
rm -rf "$configs"
mkdir -p build/bench
cp -R configs "$configs"
awk -f tests/bench/trees.awk >"$configs/models/trees_500.txt"
cat >"$configs/models/trees_500.yaml" <<'END'
model: trees_500
version: "1"
title: Benchmark, 500 trees of depth 6
kind: trees
source: made up by tests/bench/trees.awk
licence: MIT
purpose: [direct-care]
about: what scoring by a model of this size costs
limits: of no clinical use
illustrative: true
file: trees_500.txt
END
sed -i 's#^  - models/kaiser.yaml#&\n  - models/trees_500.yaml#' "$configs/library.yaml"
exec tests/bench/cluster.sh "$people" tests/bench/models.sh --library "$people"
