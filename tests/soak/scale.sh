#!/bin/sh
# scale.sh [PEOPLE...]: time and memory of a full night as the number of people grows, by
# default 50000, 500000 and 2000000 (that needs 30 GB of disk and a free hour). Uses the
# servers of `make bench`. Prints for each size the least of RUNS (3 unless said):
#   scale people=N seconds=X client_cpu=X server_cpu=X rows=N peak_mib=N bytes_per_person=N
# Fails where the memory is above 400 bytes a person (from 500,000 people on, where what
# every run needs no longer counts), or where seconds of processor time a person at the
# largest size are above 1.5 times those at the smallest from 500,000 on.
set -eu
cd "$(dirname "$0")/../.."
stratify=${STRATIFY:-build/release/stratify}

# One size, on the server that PG* names.
if [ "${1:-}" = --one ]; then
    people=$2
    PGOPTIONS="-c client_min_messages=warning"
    export PGOPTIONS
    tests/bench/people.sh "$people"
    PGDATABASE=people
    export PGDATABASE
    clean() { psql -Xq -c "drop schema if exists stratify cascade"; }
    ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $14 + $15 }'; }
    runs=$(mktemp)
    trap 'clean; rm -f "$runs"' EXIT
    clean
    "$stratify" init -q
    for run in $(seq "${RUNS:-3}"); do
        server=$(ticks "$BENCH_POSTMASTER")
        client=$(ticks $$)
        start=$(date +%s%N)
        "$stratify" run -q -c configs/bench/bench.yaml --as-of 2026-04-01
        end=$(date +%s%N)
        sleep 0.2 # the server hears of ended sessions
        client=$(($(ticks $$) - client))
        server=$(($(ticks "$BENCH_POSTMASTER") - server))
        psql -AtXq -F ' ' -c "select (select max(peak_bytes) from stratify.run_stage
                join stratify.current_run using (run_id)),
            (select sum(rows) from stratify.run_source join stratify.current_run using (run_id)),
            $end - $start, $client, $server, $(getconf CLK_TCK)"
    done >"$runs" # no pipe: a subshell would keep the processor time to itself
    sort -n -k 3 "$runs" | head -n 1 | awk -v people="$people" '{
        printf "scale people=%d seconds=%.1f client_cpu=%.1f server_cpu=%.1f rows=%d peak_mib=%d bytes_per_person=%d\n",
            people, $3 / 1e9, $4 / $6, $5 / $6, $2, $1 / 1048576, $1 / people }'
    exit 0
fi

[ $# -gt 0 ] || set -- 50000 500000 2000000
figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
for people; do
    tests/bench/cluster.sh "$people" tests/soak/scale.sh --one "$people" | tee -a "$figures"
done
tr '=' ' ' <"$figures" | awk '
    $3 >= 500000 {
        each = ($7 + $9) / $3
        if (first == 0) first = each
        if (each > 1.5 * first) { print "scale: time grows faster than people"; bad = 1 }
        if ($15 > 400) { print "scale: " $15 " bytes a person at " $3 " people"; bad = 1 }
    }
    END { exit bad }'
