#!/bin/sh
# run.sh [PEOPLE]: the engine beside its peers on made-up people (make bench).
#
# Makes PEOPLE people (50000 unless said) in a private server under build/bench, or uses
# those of an earlier run, and prints one line a figure:
#   bench NAME median=X min=X max=X pairs=N people=N
# No ratio is printed unless everybody's results and all lists are equal. Ratios are of
# whole processes by the clock, taken within a pair: all peers run in turn, PAIRS times
# (5 unless said), so that a busy machine slows them alike; runs of one and of two models
# twice, in both orders, from 500,000 people on. Ratios that end in _cpu are of processor
# time, of the program and of the server. STRATIFY names another program.
# docs/performance.md says what the figures mean.
set -eu
cd "$(dirname "$0")/../.."
people=${1:-50000}
work=build/bench/work-$people
mkdir -p "$work"
chmod 755 build/bench "$work"
cc -std=c11 -D_GNU_SOURCE -O2 -fopenmp -Wall -Wextra $(pkg-config --cflags libpq) \
    -o build/bench/limit tests/bench/limit.c $(pkg-config --libs libpq)
if command -v npm >/dev/null 2>&1; then
    cp tests/bench/package.json tests/bench/package-lock.json tests/bench/duck.mjs build/bench/
    (cd build/bench && npm install --no-audit --no-fund >npm.log 2>&1) ||
        { echo "bench: no DuckDB: $(tail -n 1 build/bench/npm.log)" >&2; rm -rf build/bench/node_modules; }
fi
exec tests/bench/cluster.sh "$people" tests/bench/pairs.sh "$people" "$work"
