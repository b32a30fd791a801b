#!/bin/sh
# The eFI, HFRS and Charlson scores of 20,000 people equal those of plain set-based SQL
# over the same tables: tests/oracle/.
set -eu
. tests/support/say.sh
as_of=2026-04-01
$stratify synth -q --people 20000 --seed 1 --as-of $as_of
$stratify init -q
$stratify run -q -c configs/run.yaml --as-of $as_of
expect "scores equal those of plain SQL" tests/oracle/compare.sh
cat "$work/out"
summary
