#!/bin/bash
# pairs.sh PEOPLE WORK: the measurements of run.sh, on the server that PG* names.
#
# The database `people` holds the made-up people and is never changed; each benchmark
# works on a copy of it. Times go to WORK/times, what programs print to WORK/log.
set -euo pipefail
people=$1 work=$2
stratify=${STRATIFY:-build/release/stratify}
pairs=${PAIRS:-5}
jobs=$(nproc)
as_of=2026-04-01
peer_run=0
export PGOPTIONS="-c client_min_messages=warning"
: >"$work/times"
: >"$work/log"

say() { echo "bench: $*" >&2; }
sql() { psql -AtXq -v ON_ERROR_STOP=1 "$@"; }

# timed NAME PAIR COMMAND...: how long a whole process takes, in seconds.
timed() {
    local name=$1 pair=$2 start=$EPOCHREALTIME
    shift 2
    "$@" >>"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; say "$name failed: see $work/log"; exit 1; }
    echo "$name $pair $(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')" >>"$work/times"
}

engine() { "$stratify" run -c "configs/bench/$1.yaml" --as-of $as_of "${@:2}"; }
peer() { sql -v as_of=$as_of -v run="$peer_run" -f tests/bench/peer.sql; }
limit() { build/bench/limit run "$work" "$jobs" "$peer_run"; }

# Results of earlier pairs, so that the disk does not fill.
tidy() {
    sql -c "do \$\$ declare t text; begin
        for t in select format('%I.%I', schemaname, tablename) from pg_tables
            where schemaname = 'peer' and tablename ~ '^(person|cohort_member)_r[0-9]+(_p[0-9]+)?$'
        loop execute 'drop table ' || t; end loop; end \$\$" -c "select stratify.retain(1)" >/dev/null
}

# same NAME: stops unless the peer's tables are those of the engine.
same() {
    local differences
    differences=$(sql -v run="$peer_run" -f tests/bench/compare.sql)
    if [ "$differences" != 0 ]; then
        say "$1 and the engine differ in $differences lines"
        exit 1
    fi
}

make_people() {
    local have
    have=$(sql -c "select count(*) from pg_database where datname = 'people'")
    if [ "$have" = 0 ]; then
        say "making $people people"
        sql -c "drop database if exists making" -c "create database making"
        PGDATABASE=making "$stratify" synth --people "$people" --as-of $as_of -q
        sql -c "alter database making rename to people" -c "checkpoint"
    fi
    sql -c "drop database if exists bench" \
        -c "create database bench template people strategy file_copy"
    export PGDATABASE=bench
    "$stratify" init -q
    sql -f tests/bench/peer_setup.sql
    sql -c "create extension if not exists pg_prewarm" \
        -c "select sum(pg_prewarm(oid)) from pg_class where relnamespace = 'sid'::regnamespace
            and relkind = 'r'" >/dev/null 2>&1 ||
        sql -c "select count(*) from sid.gp_event" -c "select count(*) from sid.prescription" >/dev/null
}

# What the engine asks the server for, as the server logged it, and its codes.
find_statements() {
    : >"$BENCH_LOG"
    PGOPTIONS="$PGOPTIONS -c log_statement=all" engine bench -q
    sed -n 's/^LOG:  statement: \(copy (select .*to stdout (format binary)\)$/\1/p' "$BENCH_LOG" \
        >"$work/statements"
    sed -n 's/^LOG:  statement: create temp table \(stratify_codes_[0-9]*\) .*$/\1/p' "$BENCH_LOG" |
        sort -u | while read -r table; do
        echo "create temp table $table as select distinct code from peer.efi_code"
        echo "analyze pg_temp.$table"
    done >"$work/codes"
    build/bench/limit save "$work" "$jobs"
}

first_nights() {
    for pair in $(seq 1 "$pairs"); do
        peer_run=$((peer_run + 1))
        timed sql "$pair" peer
        timed first_night "$pair" engine bench -q
        if [ "$pair" = 1 ]; then same "plain SQL"; fi
        peer_run=$((peer_run + 1))
        timed limit "$pair" limit
        timed one "$pair" engine one -q --shadow
        timed two "$pair" engine two -q --shadow
        echo "memory $pair $(sql -c "select max(peak_bytes) / $people.0 from stratify.run_stage")" \
            >>"$work/times"
        tidy
    done
}

make_people
say "first night"
find_statements
engine bench -q
first_nights
awk -v people="$people" -v figures="sql=sql first_night=first_night limit=limit" \
    -v ratios="sql_over_first_night=sql/first_night first_night_over_limit=first_night/limit two_models_over_one=two/one" \
    -f tests/bench/figures.awk "$work/times"
