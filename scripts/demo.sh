#!/bin/sh
# demo.sh: the main job on made-up people. Starts a private PostgreSQL, fills it with
# PEOPLE (20000) people of Sussex, runs the whole pipeline, shows lists, stops the server.
# Leaves nothing behind outside build/.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${IN_DEMO:-}" ]; then
    IN_DEMO=1 exec tests/support/cluster.sh "$0"
fi
stratify=build/release/stratify
people=${PEOPLE:-20000}
as_of=2026-04-01
mkdir -p build/demo
say() { printf '\n== %s\n' "$*"; }

say "1. $people made-up people with the list sizes, ages and deprivation of Sussex"
$stratify synth --people "$people" --seed 1 --as-of $as_of
say "2. The results schema, and a config proved against the tables"
$stratify init
$stratify check -c configs/run.yaml --as-of $as_of
say "3. The night: pull, score, rank, stratify, publish"
$stratify run -c configs/run.yaml --as-of $as_of --metrics build/demo/stratify.prom
say "4. What a frailty team sees: the anticipatory-care list of one PCN"
pcn=$(psql -Atc "select group_code from stratify.current_cohort_member
                 where cohort = 'anticipatory_care' and movement <> 'left'
                 group by 1 order by count(*) desc, 1 limit 1")
$stratify list anticipatory_care --group "$pcn" | tee build/demo/anticipatory_care.txt
say "5. Who is where: people in each stratum by locality"
$stratify list | tee build/demo/strata.txt
say "Where to look next"
cat <<'TEXT'
  build/demo/                  the lists above, and the run's metrics
  configs/                     the models, code lists and cohorts that made them: change one
  build/release/stratify --help
  README.md, docs/             how to point it at your own tables
TEXT
