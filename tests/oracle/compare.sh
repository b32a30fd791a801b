#!/bin/sh
# compare.sh [AS_OF [OUT [SET]]]: scores of everybody in plain SQL beside the engine's.
#
# Reads schema sid of the database that the PG* variables name, and the current run there,
# or the folder that `stratify run --out OUT` wrote. AS_OF is by default the day of the
# current run. SET is the config that ran: library (default; the nightly run is part of it),
# efi2, inouye, discharge or operations. Prints what was compared; the last line is "differences N".
# Fails unless N is 0.
set -eu
cd "$(dirname "$0")/../.."
as_of=${1:-$(psql -AtXqc "select as_of from stratify.run join stratify.current_run using (run_id)")}
engine=tests/oracle/engine_tables.sql
out=${2:-}
kind=${3:-library}
work=$(mktemp)
trap 'rm -f "$work"' EXIT

# A file of the folder as a temporary table of text, whatever its columns are.
file_table() {
    columns=$(zcat "$out/$1.csv.gz" | head -n 1 | tr -d '\r' | sed 's/,/" text, "/g')
    echo "create temp table file_$1 (\"$columns\" text);"
    printf "%scopy file_%s from program 'zcat %s' with (format csv, header)\n" '\' "$1" "$out/$1.csv.gz"
}

if [ -n "$out" ]; then
    for table in person run_model; do file_table $table; done >"$work"
    engine=tests/oracle/engine_files.sql
fi
# Compiling queries takes longer than running them here.
PGOPTIONS="${PGOPTIONS:-} -c jit=off -c work_mem=256MB"
export PGOPTIONS
set -- codes codes_library population
case $kind in
library) set -- "$@" scores spell events primary_care medicines hospital admissions falls risk ;;
operations) set -- "$@" spell operations admissions ;;
discharge) set -- codes sentinel discharge ;;
*) set -- "$@" "$kind" ;;
esac
files=
for file in "$@"; do files="$files -f tests/oracle/$file.sql"; done
# shellcheck disable=SC2086
report=$(psql -AtXq -F ' ' -v ON_ERROR_STOP=1 -v as_of="$as_of" -f "$work" $files \
    -f "$engine" -f tests/oracle/compare.sql)
echo "$report"
[ "${report##*differences }" = 0 ]
