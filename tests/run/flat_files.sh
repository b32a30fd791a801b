#!/bin/sh
# The same people as gzip CSV files give the same results as from PostgreSQL, with no
# database at all; and a mix of both does too.
set -eu
. tests/support/say.sh
as_of=2026-04-01
$stratify synth -q --people 3000 --seed 5 --as-of $as_of
$stratify synth -q --people 3000 --seed 5 --as-of $as_of --out "$work/feed"
cp -R configs "$work/configs"
awk -v feed="$work/feed" -f tests/run/to_files.awk configs/sources.yaml >"$work/configs/sources.yaml"
$stratify run -q -c configs/run.yaml --as-of $as_of --out "$work/from_database"
expect "a run from files alone" env -u PGHOST -u PGPORT PGHOST=/nowhere \
    $stratify run -q -c "$work/configs/run.yaml" --as-of $as_of --out "$work/from_files"
for table in person cohort_member run_count; do
    expect "same $table" cmp "$work/from_database/$table.csv.gz" "$work/from_files/$table.csv.gz"
done
awk -v feed="$work/feed" -v only=gp_event -f tests/run/to_files.awk configs/sources.yaml \
    >"$work/configs/sources.yaml"
expect "a mix: one feed in files" \
    $stratify run -q -c "$work/configs/run.yaml" --as-of $as_of --out "$work/from_both"
for table in person cohort_member run_count; do
    expect "same $table" cmp "$work/from_database/$table.csv.gz" "$work/from_both/$table.csv.gz"
done
summary
