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
lines=${LINES_SHOWN:-42}
mkdir -p build/demo
say() { printf '\n== %s\n' "$*"; }

say "1. $people made-up people, with the practices, list sizes, ages and deprivation of Sussex"
$stratify synth --people "$people" --seed 1 --as-of $as_of --quiet
psql -q <<'SQL'
select relname as "table", to_char(reltuples, 'FM999,999,999') as rows
from pg_class where relnamespace = 'sid'::regnamespace and relkind = 'r' and reltuples > 0
order by reltuples desc;
SQL

say "2. The results schema, and a config proved against the tables"
$stratify init
$stratify check -c configs/run.yaml --as-of $as_of

say "3. The night: pull, score, rank, stratify, publish"
$stratify run -c configs/run.yaml --as-of $as_of --metrics build/demo/stratify.prom

say "4. What a frailty team sees: the anticipatory-care list of one PCN"
pcn=$(psql -Atc "select group_code from stratify.current_cohort_member
                 where cohort = 'anticipatory_care' and movement <> 'left'
                 group by 1 order by count(*) desc, 1 limit 1")
$stratify list anticipatory_care --group "$pcn" >build/demo/anticipatory_care.txt
head -n "$lines" build/demo/anticipatory_care.txt
echo "... the whole list: build/demo/anticipatory_care.txt"

say "5. Who is where: people in each stratum by locality"
$stratify list | tee build/demo/strata.txt

say "6. How long the night took"
psql -q <<'SQL'
select
    stage,
    to_char(wall_seconds, 'FM990.00') as seconds,
    to_char(rows, 'FM999,999,999') as rows,
    to_char(rows / nullif(wall_seconds, 0), 'FM999,999,999') as rows_per_second,
    to_char(peak_bytes / 1048576.0, 'FM9990') as peak_mib
from stratify.run_stage
join stratify.current_run using (run_id)
order by stage_no;
SQL

say "Where to look next"
cat <<'TEXT'
  build/demo/                         the lists above, and the run's metrics
  configs/                            models, code lists and cohorts that made them: change one
  build/release/stratify models efi   the card of a model
  build/release/stratify --help       everything it can do
  README.md, docs/                    how to point it at your own tables
TEXT
