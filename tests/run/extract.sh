#!/bin/sh
# An extract gives the bytes that the sources give, for any config and number of threads;
# it is for its owner only, and refused when it is damaged, out of date or in use.
set -eu
. tests/support/say.sh
as_of=2026-04-01
x=$work/extract

run() { $stratify run -q --as-of $as_of "$@" >"$work/log" 2>&1; }
extract() { $stratify extract --as-of $as_of --extract "$x" "$@" 2>"$work/log"; }
# same NAME CONFIG: a run from the extract writes the files that a run from the sources does.
same() {
    rm -rf "$work/one" "$work/other"
    run -c "$2" --out "$work/one"
    expect "$1: a run from the extract" run -c "$2" --out "$work/other" --extract "$x"
    expect "$1: the same files" diff -r "$work/one" "$work/other"
}
tables='person score cohort_member run_count run_exclusion run_source_fate run_list'
dump() {
    for table in $tables; do
        psql -qAtc "select to_jsonb(t) - 'run_id' from stratify.$table t
                    where run_id = (select max(run_id) from stratify.run)
                    order by (to_jsonb(t) - 'run_id')::text" 2>/dev/null | sed "s/^/$table /"
    done
}
says() { grep -qF "$1" "$work/log"; }

$stratify synth -q --people 4000 --seed 11 --as-of $as_of
$stratify init -q

# ---- the same results --------------------------------------------------------------
expect "an extract is made" extract -j 3
same "from tables" configs/run.yaml
for variant in "--threads 1 -j 1" "--threads 7 -j 4"; do
    # shellcheck disable=SC2086
    expect "with $variant" run --out "$work/other $variant" --extract "$x" $variant
    expect "the same files with $variant" diff -r "$work/one" "$work/other $variant"
done
expect "published from the tables" run --shadow
dump >"$work/first"
expect "published from the extract" run --shadow --extract "$x"
dump >"$work/second"
expect "the same tables" cmp "$work/first" "$work/second"
expect_same "the run says where its rows are from" \
    "$(psql -qAtc "select snapshot from stratify.run order by run_id desc limit 1")" \
    "extract $(sed -n 's/^ "snapshot": "\(.*\)",$/\1/p' "$x/manifest.json")"
expect "the tables hold scores" grep -q '^person ' "$work/first"

# Another config, for which the extract was not made.
expect_exit "a query that the extract has not is refused" 3 \
    run -c configs/library.yaml --out "$work/never" --extract "$x"
expect "and says so" says 'source "egfr_pair" is not in the extract'
expect "made for all models" extract -c configs/library.yaml
same "all models" configs/library.yaml
as_of=2025-06-15
same "an earlier day" configs/run.yaml
as_of=2026-04-01

# ---- little has changed ------------------------------------------------------------
expect "brought up to date with nothing to do" extract
expect "everything was kept" sh -c "! grep 'pulled_rows=[1-9]' $work/log"
psql -qc "insert into sid.gp_event select person_id, event_date, snomed_code, numeric_value
          from sid.gp_event where ctid < '(20,0)'" \
    -c "update sid.hospital_spell set discharge_date = null where spell_id % 97 = 0" \
    -c "delete from sid.prescription where person_id % 211 = 0 and issue_date > '2025-12-01'" \
    -c "insert into sid.person select person_id + 1, birth_date, sex, ethnic_category,
        lsoa_code, imd_decile, imd_vintage, is_care_home, death_date, is_test_patient
        from sid.person where person_id % 50 = 0"
expect "brought up to date" extract
expect "some was kept" grep -q 'source=gp_event .* kept=[1-9]' "$work/log"
expect "some was pulled" grep -q 'source=gp_event .* pulled_rows=[1-9]' "$work/log"
same "after changes" configs/run.yaml
expect "many random changes" tests/soak/extract_changes.sh 20 "$(date +%s)"

# ---- whose rows they are -----------------------------------------------------------
# The tables of the random changes, with a second person and a second value.
psql -qc "alter table moving.note add other_id bigint, add weight float8" \
    -c "update moving.note set weight = value + 1, other_id = (row_number % 500 + 1) * 7919
        from (select ctid, row_number() over () from moving.note) n where n.ctid = note.ctid"
cp -R tests/data/extract "$work/whose"
sed '/^    note:/,/^    stay:/ s/person: person_id/person: other_id/' \
    tests/data/extract/run.yaml >"$work/whose/other.yaml"
sed 's/moving.seen/moving.note/; /moving.note/,$ s/{person: person_id, date: day, value: value}/{person: other_id, date: day, value: weight}/' \
    tests/data/extract/run.yaml >"$work/whose/twice.yaml"
sed 's/{person: other_id, date: day, value: weight}/{person: person_id, date: day, value: weight}/' \
    "$work/whose/twice.yaml" >"$work/whose/values.yaml"
sids=$x
x=$work/moving
expect "an extract of one person" extract -c "$work/whose/run.yaml"
expect_exit "rows of another one are not in it" 3 \
    run -c "$work/whose/other.yaml" --out "$work/never" --extract "$x"
expect "and says so" says 'it has no postgres table moving.note by other_id'
for whose in other twice values run; do
    expect "an extract by $whose" extract -c "$work/whose/$whose.yaml"
    same "by $whose" "$work/whose/$whose.yaml"
done
x=$sids

# ---- patient data at rest ----------------------------------------------------------
expect_same "the folder is its owner's" "$(stat -c %a "$x")" 700
expect_same "and so is every file" "$(find "$x" -type f -printf '%m\n' | sort -u)" 600
expect_exit "a plan needs no database" 0 env PGHOST=/nowhere \
    $stratify run --as-of $as_of --extract "$x" --dry-run
expect_exit "a run without the list of opt-outs is refused" 4 env PGHOST=/nowhere \
    $stratify run -q --as-of $as_of --extract "$x" --out "$work/never"
chmod 755 "$x"
expect_exit "a folder that others can look into is refused" 3 run --extract "$x" --out "$work/never"
expect "and says so" says 'others can look into the folder of the extract'
chmod 700 "$x"
psql -qc "insert into sid.opt_out select max(person_id) - 1, 'type-1', '2026-01-01' from sid.person"
expect_exit "older than the list of opt-outs: refused" 5 run --extract "$x" --out "$work/never"
expect "and says so" says 'the list of opt-outs is not the one that the extract was made with'
expect "brought up to date with the list" extract
same "with the new list" configs/run.yaml
expect_exit "in use by another process" 75 flock "$x" $stratify extract -q --as-of $as_of --extract "$x"

# ---- damage ------------------------------------------------------------------------
# damage FILE PLACE: turns over the bits of one byte.
damage() {
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    # shellcheck disable=SC2059
    printf "\\$(printf '%o' $((255 - byte)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
cp -R "$x" "$work/good"
for file in manifest.json $(cd "$x" && ls | awk '/-people|-00-00000-0|-04-00000-0/'); do
    size=$(stat -c %s "$x/$file")
    for place in 0 $((size / 3)) $((size / 2)) $((size - 1)); do
        damage "$x/$file" "$place"
        expect_exit "$file damaged at $place" 5 run --extract "$x" --out "$work/never"
        cp "$work/good/$file" "$x/$file"
    done
    truncate -s -1 "$x/$file"
    expect_exit "$file cut off" 5 run --extract "$x" --out "$work/never"
    cp "$work/good/$file" "$x/$file"
done
rm "$x"/*-07-00000-0.stratum
expect_exit "a file is missing" 4 run --extract "$x" --out "$work/never"
cp -R "$work/good/." "$x"
expect "nothing was written" test ! -e "$work/never"
run --extract "$x" --out "$work/other"

# ---- ended before its end ----------------------------------------------------------
for moment in 0.01 0.1 0.2 0.3; do
    psql -qc "vacuum full sid.gp_event"
    setsid $stratify extract -q --as-of $as_of --extract "$x" 2>/dev/null &
    pid=$!
    sleep $moment
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    expect "after kill -9 the last extract stands" run --extract "$x" --out "$work/other"
done
expect "the next one clears up" extract
expect_same "no file is left over" "$(find "$x" -name '*.stratum' | wc -l)" \
    "$(grep -c '"name": .*stratum' "$x/manifest.json" | awk '{ print $1 + 1 }')"

# ---- deleting ----------------------------------------------------------------------
mkdir "$work/other_folder" && chmod 700 "$work/other_folder" && echo >"$work/other_folder/notes"
expect_exit "a folder that is no extract is left alone" 3 $stratify extract --delete "$work/other_folder"
echo '{"name": "another program"}' >"$work/other_folder/manifest.json"
expect_exit "one with a manifest of another program, too" 3 $stratify extract --delete "$work/other_folder"
expect "nothing of it is removed" test -e "$work/other_folder/manifest.json"
chmod 755 "$x" # the more urgent
expect "one command deletes it" $stratify extract --delete "$x"
expect "it is gone" test ! -e "$x"
expect_exit "and cannot be read any more" 4 run --extract "$x" --out "$work/never"

# ---- from files --------------------------------------------------------------------
$stratify synth -q --people 2000 --seed 12 --as-of $as_of --out "$work/feed"
cp -R configs "$work/configs"
awk -v feed="$work/feed" -f tests/run/to_files.awk configs/sources.yaml >"$work/configs/sources.yaml"
export PGHOST=/nowhere
expect "an extract of files" extract -c "$work/configs/run.yaml"
same "from files" "$work/configs/run.yaml"
expect "again" extract -c "$work/configs/run.yaml"
expect "every file was kept" sh -c "! grep 'pulled_rows=[1-9]' $work/log"
summary
