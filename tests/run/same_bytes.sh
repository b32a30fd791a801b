#!/bin/sh
# The same config and snapshot give the same bytes: any thread count, any number of
# connections, any physical order of the rows; as tables and as files.
set -eu
. tests/support/say.sh
as_of=2026-04-01

tables='person cohort_member run_count run_model run_input run_exclusion run_source_fate run_list'
run() {
    $stratify run -q -c configs/run.yaml --as-of $as_of "$@" || exit 1
}
# The newest run's tables in key order, without the number of the run.
dump() {
    for table in $tables; do
        psql -qAtc "select to_jsonb(t) - 'run_id' from stratify.$table t
                    where run_id = (select max(run_id) from stratify.run)
                    order by (to_jsonb(t) - 'run_id')::text" | sed "s/^/$table /"
    done
}
shuffle() {
    psql -qAtc "select tablename from pg_tables where schemaname = 'sid'" | while read -r table; do
        psql -qc "create temp table t as select * from sid.$table order by random();
                  truncate sid.$table cascade;
                  insert into sid.$table select * from t" -c "analyze sid.$table"
    done
}

$stratify synth -q --people 4000 --seed 7 --as-of $as_of
$stratify init -q
run --shadow --threads 2 -j 2
dump >"$work/first"
expect "the tables hold people" grep -q '^person ' "$work/first"
expect "and lists" grep -q '^cohort_member ' "$work/first"
for variant in "--threads 1 -j 1" "--threads 2 -j 4" "--threads 7 -j 1" "--threads 7 -j 4"; do
    # shellcheck disable=SC2086
    run --shadow $variant
    dump >"$work/other"
    expect "same tables with $variant" cmp "$work/first" "$work/other"
    # shellcheck disable=SC2086
    run $variant --out "$work/out $variant"
    [ -d "$work/files" ] || cp -R "$work/out $variant" "$work/files"
    expect "same files with $variant" diff -r "$work/files" "$work/out $variant"
done
shuffle
run --shadow --threads 7 -j 4
dump >"$work/other"
expect "same tables after the rows were shuffled" cmp "$work/first" "$work/other"
summary
