#!/bin/sh
# The model library: worked examples of every model and edge, and the scores of 20,000
# people, with every line of every list met by somebody, equal to those of plain set-based
# SQL (tests/oracle/).
set -eu
. tests/support/say.sh
as_of=2026-04-01
sql() {
    psql -AtXq -v ON_ERROR_STOP=1 -v as_of=$as_of "$@"
}

expect "worked examples" tests/worked/run.sh
cat "$work/out"

$stratify synth -q --people 20000 --seed 1 --as-of $as_of
$stratify init -q
sql -f tests/oracle/codes.sql -f tests/oracle/codes_library.sql -f tests/oracle/enrich.sql
expect "the library runs" $stratify run -q -c configs/library.yaml --as-of $as_of
expect "scores equal those of plain SQL" tests/oracle/compare.sh
cat "$work/out"
summary
