#!/bin/sh
# The command line as a new user meets it: help, faults and their hints, exit codes, a
# schema that can be installed twice, a gate that stops a run, a lock that is held.
set -eu
. tests/support/say.sh
as_of=2026-04-01

# expect_text NAME TEXT: the last command printed it.
expect_text() {
    if grep -qF -- "$2" "$work/out"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1: no \"$2\" in"
        head -20 "$work/out"
    fi
}

# -- words of the command line
expect_exit "help" 0 $stratify --help
expect_text "help" "Exit codes"
expect_exit "help of a command" 0 $stratify run '-?'
expect_text "help of a command" "--dry-run"
expect_exit "version" 0 $stratify --version
expect_exit "no command" 2 $stratify
expect_exit "a slip" 2 $stratify rnu
expect_text "a slip" 'did you mean "run"?'
expect_exit "a day that is none" 2 $stratify run --as-of 2026-02-30
expect_text "a day that is none" 'not "2026-02-30"'
expect_exit "a shadow in a folder" 2 $stratify run --shadow --out "$work/none"
expect_text "a shadow in a folder" "--shadow needs a database: a folder holds one run only"
expect_exit "there is no password option" 2 $stratify run --password=x

# -- configs
cp -R configs "$work/configs"
sed -i 's/window: 12 months/window: 0 months/' "$work/configs/features.yaml"
expect_exit "an empty window" 3 $stratify check -c "$work/configs/run.yaml"
expect_text "an empty window" "features.yaml:"
sed -i 's/window: /widnow: /; s/label: /lable: /' "$work/configs/features.yaml"
expect_exit "faults without end" 3 $stratify check -c "$work/configs/run.yaml"
cp "$work/out" "$work/said"
expect "what is not shown is counted" grep -q '^and [0-9]* more$' "$work/said"
cp configs/features.yaml "$work/configs/features.yaml"
sed -i 's/person_id, date: event_date/person_id, date: event_dat/' "$work/configs/sources.yaml"
expect_exit "sound offline" 0 env -u PGHOST -u PGDATABASE $stratify check -c "$work/configs/run.yaml"

expect_exit "no config" 3 sh -c "cd / && $(realpath "$stratify") check"
expect_text "no config" "hint: name the config with -c FILE, or in STRATIFY_CONFIG"
expect_exit "faults as JSON" 3 $stratify check --log-format json -c "$work/none.yaml"
expect_text "faults as JSON" '"level":"error","message":"'
expect_text "faults as JSON" '"exit_code":3}'

# -- the database
expect_exit "no server" 4 $stratify init -h "$work"
expect_exit "no results schema yet" 3 $stratify run -c configs/run.yaml --as-of $as_of
expect_exit "no results schema to list" 3 $stratify list
expect_text "no results schema to list" "install it with"
expect_exit "nothing to compare yet" 3 $stratify diff 1 2
expect_text "nothing to compare yet" "stratify init"
for place in --metrics=$work/none/x.prom --out=$work/none/out; do
    expect_exit "no such place" "$([ "${place#--out}" = "$place" ] && echo 2 || echo 6)" \
        $stratify run -q "$place" -c configs/run.yaml --as-of $as_of
    expect_text "no such place" "No such file or directory"
done
$stratify synth -q --people 2000 --seed 9 --as-of $as_of
expect_exit "a filled schema is not overwritten" 2 $stratify synth -q --people 1000 --as-of $as_of
expect_exit "init" 0 $stratify init
# The key that guards a dump differs every time.
dump_schema() { pg_dump -s -n stratify | grep -v '^\\\(un\)\?restrict'; }
dump_schema >"$work/schema"
expect_exit "init again" 0 $stratify init
dump_schema >"$work/again"
expect "init again changes nothing" cmp "$work/schema" "$work/again"
expect_exit "a list before any run" 2 $stratify list
expect_text "a list before any run" "nothing has been published yet"
expect_exit "a cohort before any run" 2 $stratify list anticipatory_care
expect_text "a cohort before any run" "nothing has been published yet"
expect_exit "no runs" 0 $stratify runs
expect_text "no runs" "no run has been published yet"
expect_exit "a column that is not there" 3 $stratify check -c "$work/configs/run.yaml"
expect_text "a column that is not there" "event_dat"
expect_text "a column that is not there" "sources.yaml:"
sed 's/imd_decile: {column: imd_decile/imd_decile: {column: sex/' configs/sources.yaml >"$work/configs/sources.yaml"
expect_exit "words as a number" 0 $stratify check -c "$work/configs/run.yaml"
expect_text "words as a number" \
    'sources.yaml:16:26: column "sex" is text: rows are rejected where it does not hold numbers'
sed 's/start: start_date/start: practice_code/' configs/sources.yaml >"$work/configs/sources.yaml"
expect_exit "words as a date" 0 $stratify check -c "$work/configs/run.yaml"
expect_text "words as a date" 'column "practice_code" is text: rows are rejected where it does not hold dates'
expect_exit "no such warning" 0 $stratify check -c configs/run.yaml
expect_same "no such warning" "$(grep -c 'is text' "$work/out")" 0
expect_exit "a dry run" 0 $stratify run -c configs/run.yaml --as-of $as_of --dry-run
expect_text "a dry run" '"sid"."gp_event"'
expect_exit "a run" 0 env USER=nobody_here $stratify run -c configs/run.yaml --as-of $as_of --metrics "$work/stratify.prom"
expect_text "the server's share of the work" "server_cpu_ms="
expect_text "people are counted" "stage=load people="
expect "metrics" grep -q '^stratify_last_run_success 1$' "$work/stratify.prom"
expect "metrics of the server" grep -q '^stratify_stage_cpu_seconds{stage="load",of="server"} ' "$work/stratify.prom"
expect_same "who started it" "$(psql -Atc 'select started_by from stratify.run')" "$(id -un)"
last_success() { grep '^stratify_last_success_timestamp_seconds ' "$work/stratify.prom"; }
published=$(last_success)
current=$(psql -Atc 'select run_id from stratify.current_run')
expect_exit "a run whose folder is not one" 2 $stratify run -c configs/run.yaml --as-of $as_of \
    --out configs --metrics "$work/stratify.prom"
expect_text "a run whose folder is not one" "configs"
expect "metrics of a run that failed" grep -q '^stratify_last_run_success 0$' "$work/stratify.prom"
expect_same "and still when one was published" "$(last_success)" "$published"
sleep 1 # so that it would be another time
expect_exit "a shadow run" 0 $stratify run -q -c configs/run.yaml --as-of $as_of --shadow \
    --metrics "$work/stratify.prom"
expect "metrics of a shadow run" grep -q '^stratify_last_run_success 1$' "$work/stratify.prom"
expect_same "and when one was published" "$(last_success)" "$published"
expect_exit "a folder for the metrics" 2 $stratify run -c configs/run.yaml --as-of $as_of --metrics "$work"
expect_text "a folder for the metrics" "metrics go to a file, and this is a folder"
rm "$work/stratify.prom"
expect_exit "a run that fails first" 2 $stratify run -c configs/run.yaml --as-of $as_of \
    --out configs --metrics "$work/stratify.prom"
expect_exit "says of none that it was published" 1 last_success

# -- nothing is published by a run that must not be
cp configs/sources.yaml "$work/configs/sources.yaml"
sed -i 's/{gate: fresh, source: gp_event, limit: 31,/{gate: fresh, source: gp_event, limit: 0,/' \
    "$work/configs/run.yaml"
expect_exit "a gate" 8 $stratify run -c "$work/configs/run.yaml" --as-of 2026-09-01
expect_text "a gate" "gp_event"
expect_same "the last run stands" "$(psql -Atc 'select run_id from stratify.current_run')" "$current"

# -- lists
expect_exit "lists" 0 $stratify list
expect_exit "strata of a grouping that is not there" 2 $stratify list --group pnc
expect_text "strata of a grouping that is not there" "the current run has: all, practice, pcn"
expect_exit "a list" 0 $stratify list anticipatory_care
expect_exit "a cohort that is not there" 2 $stratify list anticipatory
expect_text "a cohort that is not there" "its cohorts: anticipatory_care"
expect_exit "runs" 0 $stratify runs
expect_exit "going nowhere" 2 $stratify publish 99999
for command in list runs "models -c configs/run.yaml" \
    "run -q --dry-run -c configs/run.yaml --as-of $as_of"; do
    expect_exit "$command on a full disk" 4 sh -c "$stratify $command >/dev/full"
    expect_text "$command on a full disk" "stdout: could not write: No space left on device"
done
(trap '' PIPE && { sleep 1 && $stratify runs 2>"$work/said"; echo $? >"$work/code"; } | true)
expect_same "a reader who leaves" "$(cat "$work/said" "$work/code")" 0
psql -qc 'create role visitor login'
expect_exit "a visitor" 3 $stratify list -U visitor
expect_text "a visitor" "permission denied for schema stratify"
expect_text "a visitor" "hint: grant it to the role that connects"
expect_exit "a model's card" 0 $stratify models efi -c configs/run.yaml
expect_text "a model's card" "Electronic Frailty Index"

# -- what docs/results.md tells readers to type
{
    echo 'create role dashboard login; create role frailty_team login; create role surgery login;'
    echo 'create role nightly login;'
    sed -n '/^```sql/,/^```/{/^```/!p}' docs/results.md
} >"$work/results.sql"
expect_exit "grants, areas and queries" 0 psql -qX -v ON_ERROR_STOP=1 -f "$work/results.sql"
expect_text "grants, areas and queries" "admission_12m"
sed -n "/<<'END'/,/^END/{/END/!p}" docs/results.md >"$work/copy.sql"
expect_exit "a list as a file" 0 sh -c "cd '$work' && psql -X -U frailty_team -f copy.sql"
expect "a list as a file" grep -q '^cohort,group_code,rank,' "$work/anticipatory_care_U08235.csv"

# -- why: each deficit of the eFI is a part of 36, and no model is left out
expect_same "contributions" "$(psql -Atc "select count(*) filter (where abs(contribution * 36 - 1) > 1e-12),
    count(*) > 0, count(*) filter (where latest is null) from stratify.current_reason where model = 'efi'")" "0|t|0"
expect_same "every model" "$(psql -Atc "select count(*) from (
    select person_id from stratify.current_reason where cohort = 'anticipatory_care'
    group by group_code, person_id having count(distinct model) < 2) few")" 0

# -- never a person's data, also of opt-outs that do nothing
psql -Atc "select person_id from sid.person" >"$work/ids"
psql -qc "insert into sid.opt_out select person_id, 'Type-1' from sid.person limit 3"
expect_exit "a type that no policy names" 0 $stratify run -c configs/run.yaml --as-of $as_of
expect_text "a type that no policy names" "level=warn stage=load source=opt_outs unlisted=3"
cp "$work/out" "$work/log"
expect "no identifier in the log" sh -c "! grep -qFf '$work/ids' '$work/log'"
psql -qc "update sid.opt_out set person_id = -person_id, opt_out_type = 'type-1'"
expect_exit "opt-outs of nobody" 0 $stratify run -c configs/run.yaml --as-of $as_of
expect_text "opt-outs of nobody" "level=warn stage=load source=opt_outs kept=0"

# -- installing
expect "make install" make -s install PREFIX=/there DESTDIR="$work/staged"
expect "the installed program" "$work/staged/there/bin/stratify" --version
expect "its manual page" test -s "$work/staged/there/share/man/man1/stratify.1"
summary
