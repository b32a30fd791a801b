#!/bin/sh
# setup.sh [build|run|test]: installs the Debian packages that are missing.
#
# build  what compiling needs
# run    and a PostgreSQL server (the default)
# test   and the test tools
#
# As root or through sudo; otherwise it prints the command to run and stops.
set -eu
build='gcc make binutils pkg-config libpq-dev zlib1g-dev libfyaml-dev libcsv-dev libjansson-dev
       libssl-dev libsmartcols-dev libc6-dev'
run='postgresql-15 postgresql-client-15'
test='clang clang-format libclang-rt-14-dev libomp-14-dev libcriterion-dev git'

case ${1:-run} in
build) wanted=$build ;;
run) wanted="$build $run" ;;
test) wanted="$build $run $test" ;;
*) echo "usage: setup.sh [build|run|test]" >&2; exit 2 ;;
esac

missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

command="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=sudo
else
    echo "These packages are missing. As root, run:" >&2
    echo "    apt-get update && $command" >&2
    exit 1
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
{ $as_root apt-get update -qq && $as_root $command; } >"$log" 2>&1 || {
    tail -20 "$log" >&2
    exit 1
}
