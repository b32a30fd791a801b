#!/bin/sh
# cluster.sh COMMAND...: runs COMMAND against a throwaway PostgreSQL server that
# listens on a socket in a temporary folder only, and removes the server again.
# CLUSTER_OPTIONS adds server settings, as postgres -c name=value.
set -eu
bin=$(pg_config --bindir)
dir=$(mktemp -d "${TMPDIR:-/tmp}/stratify-pg.XXXXXX")
as_owner() { "$@"; }
if [ "$(id -u)" = 0 ]; then # the server refuses to run as root
    chown postgres "$dir"
    as_owner() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
fi
chmod 755 "$dir"
stop() {
    as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$dir"
as_owner "$bin/initdb" -D "$dir/data" -A trust -U stratify --no-sync -E UTF8 --locale=C >/dev/null
as_owner "$bin/pg_ctl" -w -D "$dir/data" -l "$dir/log" \
    -o "-c listen_addresses='' -c fsync=off -c wal_level=minimal -c max_wal_senders=0 \
        -c shared_buffers=512MB -c max_wal_size=8GB -k $dir ${CLUSTER_OPTIONS:-}" start >/dev/null
cd "$OLDPWD"
PGHOST=$dir PGPORT=5432 PGUSER=stratify PGDATABASE=postgres "$@"
