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

# Processor time in seconds of all sessions that have ended, and of all programs run here.
cpu() {
    awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); ticks += $14 + $15 }
        END { print ticks / hz }' "/proc/$BENCH_POSTMASTER/stat" /proc/$$/stat
}

# timed NAME PAIR COMMAND...: seconds of a whole process by the clock, and under NAME_cpu
# its processor time and that of the server's sessions.
timed() {
    local name=$1 pair=$2 before start end
    shift 2
    before=$(cpu)
    start=$EPOCHREALTIME
    "$@" >>"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; say "$name failed: see $work/log"; exit 1; }
    end=$EPOCHREALTIME
    sleep 0.1 # the server hears of ended sessions
    echo "$name $pair $(awk -v a="$start" -v b="$end" 'BEGIN { print b - a }')" >>"$work/times"
    echo "${name}_cpu $pair $(awk -v a="$before" -v b="$(cpu)" 'BEGIN { print b - a }')" >>"$work/times"
}

engine() { "$stratify" run -c "configs/bench/$1.yaml" --as-of $as_of "${@:2}"; }
peer() { sql -v as_of=$as_of -v run="$peer_run" -f tests/bench/peer.sql; }
limit() { build/bench/limit run "$work" "$jobs" "$peer_run"; }

# The night of DuckDB on data that it has loaded before: score, then write back.
duck() {
    local folder=$work/csv person=peer.person_r$peer_run list=peer.cohort_member_r$peer_run
    sql -c "\\copy (select cohort, group_code, person_id from stratify.cohort_member
        join stratify.current_run using (run_id) where movement <> 'left')
        to '$folder/previous.csv' (format csv, header)"
    node tests/bench/duck.mjs "$work/duck.db" tests/bench/duck.sql \
        dir="$folder" run="$peer_run" as_of=$as_of
    sql -1 -c "create table $person (like peer.person, check (run_id = $peer_run))" \
        -c "create table $list (like peer.cohort_member, check (run_id = $peer_run))" \
        -c "\\copy $person from '$folder/person.csv' (format csv, header, freeze)" \
        -c "alter table $person add primary key (run_id, person_id)" \
        -c "analyze $person (run_id, person_id, practice_code, age, segment_no)" \
        -c "\\copy $list from '$folder/cohort_member.csv' (format csv, header, freeze)" \
        -c "alter table $list add primary key (run_id, cohort, group_code, person_id)" \
        -c "analyze $list (run_id, cohort, group_code, rank, person_id, movement)" \
        -c "alter table peer.person attach partition $person for values in ($peer_run)" \
        -c "alter table peer.cohort_member attach partition $list for values in ($peer_run)"
}

save_csv() { sql -c "\\copy $2 to '$1/${2#*.}.csv' (format csv, header)"; }
export -f sql save_csv

load_duck() {
    local folder=$work/csv
    rm -rf "$work/duck.db" "$folder"
    mkdir -p "$folder"
    printf '%s\n' sid.gp_event sid.prescription sid.person sid.registration sid.practice \
        sid.opt_out sid.hospital_spell sid.diagnosis sid.ae_attendance peer.efi_code \
        peer.hfrs_code peer.charlson_code peer.charlson_bit peer.chapter peer.sentinel |
        xargs -P "$jobs" -I{} bash -c 'save_csv "$@"' - "$folder" {}
    node tests/bench/duck.mjs "$work/duck.db" tests/bench/duck_load.sql dir="$folder"
}

# Results of earlier pairs, so that the disk does not fill.
tidy() {
    sql -c "do \$\$ declare t text; begin
        for t in select format('%I.%I', schemaname, tablename) from pg_tables
            where schemaname = 'peer' and tablename ~ '^(person|cohort_member)_r[0-9]+(_p[0-9]+)?$'
        loop execute 'drop table ' || t; end loop; end \$\$" -c "select stratify.retain(2)" >/dev/null
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
    tests/bench/people.sh "$people"
    sql -c "drop database if exists bench" \
        -c "create database bench template people strategy file_copy"
    export PGDATABASE=bench
    "$stratify" init -q --visibility-map
    sql -f tests/bench/peer_setup.sql
    sql -c "create extension if not exists pg_prewarm" \
        -c "select sum(pg_prewarm(oid)) from pg_class where relnamespace = 'sid'::regnamespace
            and relkind = 'r'" >/dev/null 2>&1 ||
        sql -c "select count(*) from sid.gp_event" -c "select count(*) from sid.prescription" >/dev/null
}

# note NAME PAIR SQL: a figure that the server knows.
note() { echo "$1 $2 $(sql -c "$3")" >>"$work/times"; }

# note_pull NAME PAIR: seconds that the load of the newest run took.
note_pull() {
    note "$1" "$2" "select wall_seconds from stratify.run_stage where stage = 'load'
        and run_id = (select max(run_id) from stratify.run)"
}

# note_scoring NAME PAIR: nanoseconds of processor time that scoring took in the published
# run, for each event that its sources hold.
note_scoring() {
    note "$1" "$2" "select 1e9 * s.cpu_seconds / (select sum(c.reltuples)
            from stratify.run_source r
            join pg_class c on c.relnamespace = 'sid'::regnamespace and c.relname = r.source
            where r.run_id = s.run_id and r.role = 'events')
        from stratify.run_stage s join stratify.current_run using (run_id)
        where s.stage = 'score'"
}

# same_run NAME: stops unless the two newest published runs of the engine are equal.
same_run() {
    local differences
    differences=$(sql -f tests/bench/compare_runs.sql)
    if [ "$differences" != 0 ]; then
        say "$1 and a full night differ in $differences lines"
        exit 1
    fi
}

# What the engine asks the server for, as the server logged it.
find_statements() {
    : >"$BENCH_LOG"
    PGOPTIONS="$PGOPTIONS -c log_statement=all" engine bench -q
    sed -n 's/^LOG:  statement: \(copy (select .*to stdout (format binary)\)$/\1/p' "$BENCH_LOG" \
        >"$work/statements"
    build/bench/limit save "$work" "$jobs"
}

# The engine's own store of records, where the program has it.
extract() { "$stratify" extract -c "configs/bench/bench.yaml" --as-of $as_of --extract "$work/extract" -q; }
from_extract() { engine bench --extract "$work/extract" -q; }
next_night() { extract && from_extract; }

next_peer() { peer_run=$((peer_run + 1)); }

# one_and_two PAIR: a difference of a few per cent drowns in the drift of the machine, unless
# each comes once before and once after the other. The short benchmark has no time for that.
one_and_two() {
    timed one "$1" engine one -q --shadow
    timed two "$1" engine two -q --shadow
    if [ "$people" -ge 500000 ]; then
        timed two "$1" engine two -q --shadow
        timed one "$1" engine one -q --shadow
    fi
}

# night PAIR: everything is pulled, and what that took.
night() {
    sql -c checkpoint
    timed first_night "$1" engine bench -q
    if [ "$1" = 1 ]; then same "plain SQL"; fi
    note memory "$1" "select max(peak_bytes) / $people.0 from stratify.run_stage
        join stratify.current_run using (run_id)"
    note rows "$1" "select sum(rows) from stratify.run_source
        join stratify.current_run using (run_id)"
}

# beside_limit PAIR: what comes second finds another machine than what comes first, so the two
# change places from pair to pair, and neither pays for what plain SQL has left to be written.
beside_limit() {
    if [ $(($1 % 2)) = 1 ]; then night "$1"; fi
    next_peer
    sql -c checkpoint
    timed limit "$1" limit
    if [ $(($1 % 2)) = 0 ]; then night "$1"; fi
}

first_nights() {
    for pair in $(seq 1 "$pairs"); do
        next_peer
        timed sql "$pair" peer
        beside_limit "$pair"
        if $has_extract; then
            timed rerun "$pair" from_extract
            note_scoring scoring "$pair"
            same_run "the re-run"
        fi
        if $has_duck; then
            next_peer
            timed duck "$pair" duck
            if [ "$pair" = 1 ]; then same "DuckDB"; fi
        fi
        one_and_two "$pair"
        tidy
    done
}

# Beside the whole library one model is little, so three pairs are enough.
all_models() {
    for pair in $(seq 1 $((pairs > 3 ? 3 : pairs))); do
        timed one_beside "$pair" engine one -q --shadow
        note_pull one_pull "$pair"
        timed all "$pair" engine ../library -q --shadow
        note_pull all_pull "$pair"
    done
    tidy
}

indexed_nights() {
    sql -c "create index bench_covering on sid.gp_event (snomed_code)
        include (person_id, event_date, numeric_value)" -c "vacuum sid.gp_event"
    for pair in $(seq 1 $((pairs > 3 ? 3 : pairs))); do
        next_peer
        timed sql_indexed "$pair" peer
        timed first_indexed "$pair" engine bench -q
        if [ "$pair" = 1 ]; then same "plain SQL with the index"; fi
        tidy
    done
    sql -c "drop index sid.bench_covering"
}

next_nights() {
    for pair in $(seq 1 "$pairs"); do
        sql -v as_of=$as_of -v turn="$pair" -f tests/bench/change.sql >/dev/null
        next_peer
        timed sql_again "$pair" peer
        timed next_night "$pair" next_night
        if [ "$pair" = 1 ] || [ "$pair" = "$pairs" ]; then same "plain SQL on the night after"; fi
        timed first_again "$pair" engine bench -q
        same_run "the night after"
        tidy
    done
}

has_extract=false has_duck=false
if "$stratify" run --help | grep -q -- --extract; then has_extract=true; fi
if [ -d build/bench/node_modules/@duckdb ]; then has_duck=true; fi
make_people
if $has_duck; then load_duck; fi
say "first night"
find_statements
if $has_extract; then timed extract 1 extract; fi
first_nights
if [ "$people" -ge 500000 ]; then # what the short benchmark has no time for
    say "all models"
    all_models
    say "covering index"
    indexed_nights
fi
if $has_extract; then
    say "night after"
    next_nights
fi
awk -v people="$people" -f tests/bench/figures.awk -v figures="
        sql_seconds=sql first_night_seconds=first_night limit_seconds=limit
        next_night_seconds=next_night rerun_seconds=rerun loaded_duckdb_seconds=duck
        extract_seconds=extract rows=rows bytes_per_person=memory
        scoring_ns_per_event=scoring" -v ratios="
        sql_over_first_night=sql/first_night
        first_night_over_limit=first_night/limit
        sql_over_first_night_indexed=sql_indexed/first_indexed
        sql_over_next_night=sql_again/next_night
        first_night_over_next_night=first_again/next_night
        sql_over_rerun=sql/rerun
        loaded_duckdb_over_rerun=duck/rerun
        two_models_over_one=two/one
        two_models_over_one_cpu=two_cpu/one_cpu
        all_models_over_one=all/one_beside
        pull_of_all_over_pull_of_one=all_pull/one_pull
        rows_per_second=rows/first_night
        sql_over_first_night_cpu=sql_cpu/first_night_cpu
        first_night_over_limit_cpu=first_night_cpu/limit_cpu
        sql_over_next_night_cpu=sql_again_cpu/next_night_cpu
        sql_over_rerun_cpu=sql_cpu/rerun_cpu
        loaded_duckdb_over_rerun_cpu=duck_cpu/rerun_cpu" "$work/times"
