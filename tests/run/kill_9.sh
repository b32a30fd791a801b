#!/bin/sh
# Killed at 20 random moments, readers always see the last published run whole, and the
# next run succeeds without any cleaning by hand. SEED repeats a series.
set -eu
. tests/support/say.sh
as_of=2026-04-01
seed=${SEED:-$(date +%s)}
kills=${KILLS:-20}

# One line for what readers see: the run, and a sum over all it holds.
seen() {
    psql -qAtc "begin transaction isolation level repeatable read;
        select (select run_id from stratify.current_run),
               (select md5(string_agg(md5(p::text), '' order by person_id)) from stratify.current_person p),
               (select md5(string_agg(md5(s::text), '' order by model, person_id)) from stratify.current_score s),
               (select md5(string_agg(md5(c::text), '' order by cohort, group_code, person_id))
                from stratify.current_cohort_member c)"
}

$stratify synth -q --people 10000 --seed 3 --as-of $as_of
$stratify init -q
start=$(date +%s%N)
$stratify run -q -c configs/run.yaml --as-of $as_of
whole_ms=$((($(date +%s%N) - start) / 1000000))
before=$(seen)
parts=$(awk -v seed="$seed" -v n="$kills" 'BEGIN { srand(seed); while (n-- > 0) print rand() }')
killed=0
for part in $parts; do
    moment=$(awk -v part="$part" -v ms="$whole_ms" 'BEGIN { printf "%.3f", part * ms / 1000 }')
    setsid $stratify run -q -c configs/run.yaml --as-of $as_of 2>/dev/null &
    pid=$!
    sleep "$moment"
    kill -9 "$pid" 2>/dev/null || true
    ended=0
    wait "$pid" 2>/dev/null || ended=$?
    if [ "$ended" = 137 ]; then
        killed=$((killed + 1))
    else # the machine has become faster: a run is over by then
        whole_ms=$(awk -v s="$moment" 'BEGIN { printf "%d", 1000 * s }')
    fi
    now=$(seen)
    # A run that published before it was killed is the new last one, and whole.
    if [ "${now%%|*}" != "${before%%|*}" ]; then
        people=$(psql -qAtc "select (select count(*) from stratify.current_person) = people
                             from stratify.run where run_id = ${now%%|*}")
        expect_same "killed at $moment s, the new run is whole (seed $seed)" "$people" t
        before=$now
    else
        expect_same "killed at $moment s, readers see the last run (seed $seed)" "$now" "$before"
    fi
done
expect "some runs were really killed ($killed)" test "$killed" -ge $((kills / 2))
expect_exit "the next run, without cleaning" 0 $stratify run -q -c configs/run.yaml --as-of $as_of
left=$(psql -qAtc "select count(*) from pg_class c
    where c.relnamespace = 'stratify'::regnamespace and c.relkind = 'r' and not c.relispartition
      and c.relname ~ '^(person|cohort_member)_r[0-9]'")
expect_same "no staged table is left" "$left" 0
summary
