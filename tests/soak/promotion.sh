#!/bin/sh
# promotion.sh: a standby that is promoted gives ids of transactions, and positions in the
# log, again that the lost primary had given to others. An extract of the primary must not
# take the rows of one for those of the other. Run under tests/support/cluster.sh with
# CLUSTER_OPTIONS="-c wal_level=replica -c max_wal_senders=4".
set -eu
. tests/support/say.sh
as_of=2026-04-01
config=tests/data/extract/run.yaml
extract=$work/extract
sql() { psql -qXAt -v ON_ERROR_STOP=1 "$@"; }
as_owner() { "$@"; }
[ "$(id -u)" != 0 ] ||
    as_owner() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
bin=$(pg_config --bindir)
primary=$PGHOST
standby=$(mktemp -d "${TMPDIR:-/tmp}/stratify-standby.XXXXXX")
chmod 711 "$standby"
[ "$(id -u)" != 0 ] || chown postgres "$standby"
stop_standby() { (cd "$standby" && as_owner "$bin/pg_ctl" -w -D data -m immediate stop >/dev/null 2>&1) || true; }
# start_standby [OPTION...]
start_standby() {
    (cd "$standby" && as_owner "$bin/pg_ctl" -w -D data -l log \
        -o "-k $standby -c listen_addresses= -c hot_standby=on $*" start >/dev/null)
}
trap 'stop_standby; rm -rf "$work" "$standby"' EXIT

# ids N: gives the ids of N transactions.
ids() { for _ in $(seq "$1"); do sql -c "select pg_current_xact_id()" >/dev/null; done; }
make() { $stratify extract -c $config --as-of $as_of --extract "$extract" 2>"$work/log"; }
same() {
    rm -rf "$work/one" "$work/other"
    $stratify run -q -c $config --as-of $as_of --extract "$extract" --out "$work/one"
    $stratify run -q -c $config --as-of $as_of --out "$work/other"
    diff -r "$work/one" "$work/other"
}

# The tables are made while it listens, so that it has pages to write when it is promoted,
# and its first checkpoint takes a while.
(cd "$standby" && as_owner "$bin/pg_basebackup" -h "$primary" -D data -R -X stream -c fast)
start_standby
sql <<'SQL'
create schema moving;
create table moving.person as
  select i * 7919::bigint as person_id, date '1940-01-01' + i as born from generate_series(1, 500) i;
create table moving.opt_out (person_id bigint, kind text, day date);
create table moving.note as
  select (1 + i % 500) * 7919::bigint as person_id, date '2020-01-01' + i % 1500 as day,
    'C' || i % 40 as code, (i % 10)::float8 as value, 'a1' as mark, (i % 5)::smallint as grade
  from generate_series(1, 20000) i;
create table moving.stay as
  select i::bigint as stay_id, (1 + i % 500) * 7919::bigint as person_id,
    date '2022-01-01' + i % 1000 as day, date '2022-01-03' + i % 1000 as until, i::numeric as cost
  from generate_series(1, 5000) i;
create view moving.seen as select person_id, day, value from moving.note where grade = 1;
vacuum analyze;
SQL
until [ "$(PGHOST=$standby sql -c "select pg_last_wal_replay_lsn() >= '$(sql -c "select pg_current_wal_lsn()")'")" = t ]; do
    sleep 0.1
done
expect "an extract of the standby" env PGHOST="$standby" "$stratify" extract -q -c $config \
    --as-of $as_of --extract "$work/of_standby"
stop_standby # from here on it falls behind
sql -c "update moving.note set value = 77 where ctid in (select ctid from moving.note order by ctid desc limit 2)"
ids 3
expect "an extract of the primary" make
start_standby -c primary_conninfo= # and hears no more of the primary
export PGHOST="$standby"
sql -c "select pg_promote()" >/dev/null
# The same ids, and the same places, with other values.
sql -c "update moving.note set value = 55 where ctid in (select ctid from moving.note order by ctid desc limit 2)"
ids 8
expect_same "the control file does not know yet" \
    "$(sql -c "select timeline_id from pg_control_checkpoint()")" 1
expect "brought up to date by what was a standby" make
expect "nothing was kept" sh -c "! grep -q 'kept=[1-9]' $work/log"
expect "the rows of the new primary" same
summary
