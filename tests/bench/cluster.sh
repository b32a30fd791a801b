#!/bin/sh
# cluster.sh PEOPLE COMMAND...: runs COMMAND against the server of a benchmark.
#
# The server is private: its data lie in build/bench/pg-PEOPLE, it listens on a socket in
# a temporary folder only, and it stops when COMMAND ends. The made-up people stay, so
# that the next benchmark of the same size starts at once. Settings are those of a server
# that was set up with care: writes are flushed (fsync), WAL is minimal, as on a platform
# without replicas. BENCH_BUFFERS is its cache, 4GB unless said.
set -eu
people=$1
shift
bin=$(pg_config --bindir)
data=$PWD/build/bench/pg-$people
socket=$(mktemp -d "${TMPDIR:-/tmp}/stratify-bench.XXXXXX")
as_owner() { "$@"; }
mkdir -p build/bench
if [ "$(id -u)" = 0 ]; then # the server refuses to run as root
    chown postgres "$socket"
    as_owner() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
fi
chmod 755 "$socket"
stop() {
    as_owner "$bin/pg_ctl" -D "$data" -m fast -t 300 stop >/dev/null 2>&1 || true
    rm -rf "$socket"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ ! -s "$data/PG_VERSION" ]; then
    rm -rf "$data"
    mkdir -p "$data"
    chmod 700 "$data"
    if [ "$(id -u)" = 0 ]; then chown postgres "$data"; fi
    as_owner "$bin/initdb" -D "$data" -A trust -U stratify -E UTF8 --locale=C >/dev/null
fi
: >"$socket/log"
if [ "$(id -u)" = 0 ]; then chown postgres "$socket/log"; fi
cd "$socket"
as_owner "$bin/pg_ctl" -w -t 300 -D "$data" -l "$socket/log" -o "-k $socket \
    -c listen_addresses='' -c shared_buffers=${BENCH_BUFFERS:-4GB} -c wal_level=minimal \
    -c max_wal_senders=0 -c max_wal_size=16GB -c checkpoint_timeout=30min \
    -c maintenance_work_mem=512MB -c effective_cache_size=12GB -c random_page_cost=1.1 \
    -c autovacuum=off -c log_line_prefix='' " start >/dev/null
cd "$OLDPWD"
PGHOST=$socket PGPORT=5432 PGUSER=stratify PGDATABASE=postgres BENCH_LOG=$socket/log \
    BENCH_POSTMASTER=$(head -n 1 "$data/postmaster.pid") "$@"
