#!/bin/sh
# extract_changes.sh [ROUNDS [SEED]]: a refreshed extract is what a full pull gives,
# whatever was done to the tables in between.
#
# Each round does a handful of random things to three tables: rows put in, changed, taken
# out and put back, in plain transactions, in subtransactions, in ones that are rolled
# back; VACUUM (FREEZE, FULL), CLUSTER, TRUNCATE, COPY FREEZE, columns renamed and added;
# sometimes while the extract is brought up to date. Some transactions stay open over the
# refresh and end, one way or the other, in a later round. Then a run from the refreshed
# extract must write the same bytes as a run from the tables. Run under
# tests/support/cluster.sh.
#
# In most rounds the visibility map may be read, and says of some ranges that nobody wrote
# to them; in the others rows decide alone.
set -eu
. tests/support/say.sh
rounds=${1:-300}
seed=${2:-1}
as_of=2026-04-01
config=tests/data/extract/run.yaml
extract=$work/extract
sql() { psql -qXAt -v ON_ERROR_STOP=1 "$@"; }

sql <<'END'
create schema moving;
create table moving.person (person_id bigint, born date);
insert into moving.person select i * 7919, date '1940-01-01' + (i * 37) % 25000
  from generate_series(1, 500) i;
create table moving.opt_out (person_id bigint, kind text, day date);
create table moving.note (person_id bigint, day date, code text, value float8, mark text,
  grade smallint, filler text default 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');
create table moving.stay (stay_id bigint, person_id bigint, day date, until date, cost numeric);
create view moving.seen as
  select person_id, day, value from moving.note where mark = 'a1';
-- Rows of a time-ordered feed: most change at the end. One in fifty is odd.
create function moving.notes(n int, first int) returns setof moving.note language sql as $$
  select case when random() < 0.02 then null when random() < 0.02 then 42
              else (1 + floor(random() * 510))::bigint * 7919 end,
    case when random() < 0.02 then null when random() < 0.01 then date '1900-01-01'
         when random() < 0.005 then 'infinity' when random() < 0.005 then '-infinity'
         else date '2016-01-01' + ((first + i) / 20) % 3800 end,
    case when random() < 0.9 then 'C' || floor(random() * 400)::int end,
    case when random() < 0.3 then round(random()::numeric * 40, 1)::float8 end,
    (array['a1', 'a2', 'b1', 'b2', null, ''])[1 + floor(random() * 6)],
    floor(random() * 5)::smallint, repeat('x', 60)
  from generate_series(1, n) i $$;
create function moving.stays(n int, first int) returns setof moving.stay language sql as $$
  select first + i, (1 + floor(random() * 510))::bigint * 7919,
    date '2020-01-01' + floor(random() * 2300)::int,
    case when random() < 0.9 then date '2020-01-01' + floor(random() * 2400)::int end,
    round(random()::numeric * 900, 2)
  from generate_series(1, n) i $$;
insert into moving.note select * from moving.notes(60000, 0);
insert into moving.stay select * from moving.stays(20000, 0);
create index note_person on moving.note (person_id);
vacuum analyze;
END


# changes N: N random things to do to the tables, the same for the same seed and round.
changes() {
    awk -v seed=$((seed * 10007 + round)) -v n="$1" -v rows="$work/rows" -f tests/soak/changes.awk
}
# chance N WORD: true once in N times.
chance() {
    dice=$(echo "$seed $round $2" | cksum)
    [ $((${dice%% *} % $1)) = 0 ]
}
# A thing that cannot have its lock, or runs into a row of an open transaction, fails.
# Nobody minds: it was random.
do_changes() {
    changes "$1" >"$work/changes.sql"
    psql -qXAt -f "$work/changes.sql" >/dev/null 2>>"$work/refused" || true
}
# hold: begins a transaction with subtransactions and leaves it open. release: ends it.
held=
hold() {
    rm -f "$work/fifo"
    mkfifo "$work/fifo"
    psql -qXAt <"$work/fifo" >"$work/held" 2>/dev/null &
    held=$!
    exec 3>"$work/fifo"
    {
        echo "set lock_timeout = 200; begin; savepoint s;"
        # Old and new version lie in the same range, which keeps its number of rows.
        echo "update moving.note set value = 1 + coalesce(value, 0) where ctid in
              (select ctid from moving.note order by ctid desc limit 15);"
        echo "release s;"
        if chance 2 more; then
            changes 3 | grep -E '^(insert|update|delete|with|do)' | sed 's/^/savepoint s; /; s/$/ release s;/'
        fi
        echo "select 'open';"
    } >&3
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        grep -q open "$work/held" && break
        sleep 0.1
    done
    # A later one that is over: the open one is then not the newest.
    psql -qXAtc "select pg_current_xact_id()" >/dev/null
}
release() {
    [ -z "$held" ] && return
    if chance 3 release; then echo "rollback;" >&3; else echo "commit;" >&3; fi
    exec 3>&-
    wait "$held" || true
    held=
}

$stratify init -q --visibility-map
map=visibility_map
# rename_map NAME: under another name the function is not found.
rename_map() {
    [ $map = "$1" ] || sql -c "alter function stratify.$map rename to $1"
    map=$1
}

round=0
kept=0
unread=0
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    if chance 3 before; then release; fi
    if chance 4 map; then rename_map hidden; else rename_map visibility_map; fi
    if [ -z "$held" ] && chance 4 quiet; then
        hold
        $stratify extract -c $config --as-of $as_of --extract "$extract" -q
        release # and nothing else happens
    else
        do_changes $((1 + round % 5))
        if [ -z "$held" ] && chance 3 hold; then hold; fi
    fi
    writer=
    if chance 4 writer; then
        { do_changes 12 & } 2>/dev/null
        writer=$!
        $stratify extract -c $config --as-of $as_of --extract "$extract" -q || true
        wait "$writer"
    fi
    if ! $stratify extract -c $config --as-of $as_of --extract "$extract" 2>"$work/log" ||
        ! $stratify run -q -c $config --as-of $as_of --extract "$extract" --out "$work/one" 2>>"$work/log" ||
        ! $stratify run -q -c $config --as-of $as_of --out "$work/other" 2>>"$work/log" ||
        ! diff -r "$work/one" "$work/other" >>"$work/log"; then
        failed=$((failed + 1))
        echo "FAILED: round $round of seed $seed"
        cat "$work/log" "$work/changes.sql"
        [ $failed -gt 3 ] && break
    else
        passed=$((passed + 1))
    fi
    kept=$((kept + $(sed -n 's/.*source=\(note\|stay\) .* kept=\([0-9]*\).*/\2/p' "$work/log" | paste -sd+ | bc)))
    unread=$((unread + $(sed -n 's/.*source=\(note\|stay\) .* unread=\([0-9]*\).*/\2/p' "$work/log" | paste -sd+ | bc)))
    rm -rf "$work/one" "$work/other"
done
release
# The comparison is worth nothing if everything was pulled each time.
expect "pieces were kept ($kept)" [ $kept -gt "$rounds" ]
# Few rounds may happen to rewrite all that was vacuumed.
[ "$rounds" -lt 60 ] || expect "some of them without a look at their rows ($unread)" [ $unread -gt $((rounds / 4)) ]
expect "but not all of them ($unread)" [ $unread -lt $kept ]
summary
