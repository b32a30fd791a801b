#!/bin/sh
# `stratify codelist`: what check finds, that diff counts the people whom plain SQL
# counts, that leaving out doubted rows is a matter of config, and what stats says beside
# the last run.
set -eu
. tests/support/say.sh
as_of=2026-04-01

# try NAME CODE ARGUMENT...: codelist must end with this code; $work/said is what it said.
try() {
    name=$1 want=$2
    shift 2
    expect_exit "$name" "$want" $stratify codelist -q "$@"
    cp "$work/out" "$work/said"
}
# Rows of a table that codelist prints: field N of the line that starts with these words.
field() {
    awk -v start="$1" -v n="$2" 'index($0, start) == 1 { print $n }' "$work/said"
}
# A number of people as it may be seen: see engine/publish/small.h.
shown() {
    if [ "$1" -gt 0 ] && [ "$1" -lt 8 ]; then echo '*'; else echo $((($1 + 2) / 5 * 5)); fi
}
ask() {
    psql -qAtc "$1"
}

# -- check ---------------------------------------------------------------------------
try "a file that is missing" 3 check "$work/none.csv"
expect_same "is said before its system is asked" "$(cat "$work/said")" \
    "$work/none.csv: could not open: No such file or directory"
cat >"$work/bad.csv" <<'END'
code,group
73211009,diabetes
73211008,diabetes
44054006,diabetes
E10,diabetes
END
try "wrong codes" 3 check "$work/bad.csv" \
    --column category=group --system snomed
expect_same "each with its place" "$(cat "$work/said")" \
    "$work/bad.csv:3:1: \"73211008\" is no SNOMED CT code: its check digit is wrong
$work/bad.csv:5:1: \"E10\" is no SNOMED CT code: it needs 6 to 18 digits"
cat >"$work/good.csv" <<'END'
icd,group
E10,diabetes
E10,diabetes
E10.1,eyes
E101,feet
,none
END
try "a good list" 0 check "$work/good.csv" \
    --column code=icd --column category=group --system icd10
expect_same "codes, categories, repeats, empty, in several categories" \
    "$(awk 'NR == 2 { print $2, $3, $4, $6, $8 }' "$work/said")" "3 3 1 1 1"
expect_same "the code in two categories, with its lines" \
    "$(awk '$1 == "E101" { print $3, $4 }' "$work/said" | xargs)" "eyes 4 feet 5"
expect "a line listed twice, with its place and the first" \
    grep -x "$work/good.csv:3: \"E10\" is listed twice, first on line 2" "$work/said"
try "a list without its coding system" 2 check "$work/good.csv"
try "a config" 0 check -c configs/run.yaml
expect_same "doubted rows of the nightly run are counted" "$(field 'efi_codes ' 7 | head -1)" 26
expect "and why they stay is said" grep 'suspect *26 flags: suspect-map *made by a machine' "$work/said"
expect "a code of two lists, with both places" grep -x "configs/codelists/efi_codes.csv:[0-9]*: \
\"66Yf.\" is also in efi_values, configs/codelists/efi_value_rules.csv:[0-9]*" "$work/said"
try "the library" 0 check -c configs/library.yaml
expect_same "ten repeats of a list are named, and how many more there are" \
    "$(grep -c 'cms_codes.csv:[0-9]*: ".*" is listed twice' "$work/said")$(grep -A 1 'listed twice' "$work/said" | tail -n 1)" \
    "10    and $(($(field 'cms_codes ' 4 | head -1) - 10)) more"
expect "rows left out, and why" \
    grep 'efi_codes_reviewed left out *26 flags: suspect-map *made by a machine' "$work/said"
cp -R configs "$work/configs"
sed -i '0,/^  licence:/{/^  licence:/d}' "$work/configs/codelists.yaml"
try "a list without a licence" 3 check -c "$work/configs/run.yaml"
expect "is named with its place" \
    grep "configs/codelists.yaml:5:3: \"licence\" is missing" "$work/said"

# -- diff of files -------------------------------------------------------------------
sed 's/^E10,diabetes/E11,diabetes/' "$work/good.csv" >"$work/next.csv"
try "two files" 0 diff "$work/good.csv" "$work/next.csv" \
    --column code=icd --column category=group --system icd10
expect_same "added, removed, changed" "$(field "$work/next.csv " 2 | xargs)" "removed added 1"
try "files that the config does not name" 2 \
    diff "$work/good.csv" "$work/next.csv" -c configs/run.yaml

# -- diff and people -----------------------------------------------------------------
$stratify synth -q --people 5000 --seed 11 --dirt none --as-of $as_of
# Old age, which the machine took for a fall.
ask "insert into sid.gp_event
     select person_id, date '2025-06-01', 49808004, null from sid.person
     where birth_date < date '1950-01-01' order by person_id limit 60"
$stratify init -q
$stratify run -q -c configs/run.yaml --as-of $as_of
awk -F, '$1 != "N39" && $1 != "W19"' configs/codelists/hfrs.csv |
    sed 's/^R55,[^,]*/R55,9.9/' >"$work/hfrs.csv"
echo 'I10,0.5,Hypertension' >>"$work/hfrs.csv"
# The rows of diagnosis that HFRS looks at.
in_two_years="d.diagnosis_date < date '$as_of'
    and d.diagnosis_date >= date '$as_of' - interval '2 years'
    and not exists (select from sid.opt_out o where o.person_id = d.person_id
                    and o.opt_out_type = 'national')"
people() {
    ask "select count(distinct d.person_id)
         from sid.diagnosis d join stratify.current_person p using (person_id)
         where d.icd10_code ~ '$1'
           and $in_two_years"
}
try "a new version of a list" 0 diff --as-of $as_of \
    -c configs/run.yaml configs/codelists/hfrs.csv "$work/hfrs.csv"
expect "some people are affected" test "$(people '^(N39|W19)')" -gt 20
expect_same "codes and people are those of plain SQL" "$(awk '/^hfrs / && NF == 8' "$work/said" | tr -s ' ')" \
    "hfrs 1 2 1 $(shown "$(people '^I10')") $(shown "$(people '^(N39|W19)')") $(shown "$(people '^R55')") $(shown "$(people '^(N39|W19|R55|I10)')")"
expect "a weight as it was and is" grep 'changed R55\* *icd10 *R55, weight 1.8 *R55, weight 9.9' "$work/said"

cp "$work/said" "$work/from_tables"
$stratify extract -q -c configs/run.yaml --as-of $as_of --extract "$work/extract"
try "the same of an extract" 0 diff --as-of $as_of --extract "$work/extract" \
    -c configs/run.yaml configs/codelists/hfrs.csv "$work/hfrs.csv"
expect "comes to the same" cmp "$work/said" "$work/from_tables"

# The same list with the doubted rows left out: only a word of the config changes.
rm -rf "$work/configs"
cp -R configs "$work/configs"
sed -i 's/^  suspect:/  exclude:/' "$work/configs/codelists.yaml"
try "two configs" 0 diff --as-of $as_of \
    configs/run.yaml "$work/configs/run.yaml"
doubted=$(awk -F, '/suspect-map/ && $3 == "SNOMED" { print $4 }' configs/codelists/efi_codes.csv |
    sort -u | paste -sd,)
affected=$(ask "select count(distinct g.person_id)
    from sid.gp_event g join stratify.current_person p using (person_id)
    where g.snomed_code in ($doubted) and (g.event_date < date '$as_of' or g.event_date is null)")
expect "some are affected" test "$affected" -gt 40
expect_same "people with a doubted code" "$(awk '/^efi_codes / && NF == 8 { print $8 }' "$work/said")" \
    "$(shown "$affected")"
deficits() {
    ask "select round(sum(score * 36)) from stratify.current_score where model = 'efi'"
}
before=$(deficits)
$stratify run -q -c "$work/configs/run.yaml" --as-of $as_of
expect "fewer deficits without them ($before)" test "$(deficits)" -lt "$before"

# -- stats ---------------------------------------------------------------------------
try "stats" 0 stats -c "$work/configs/run.yaml" --as-of $as_of
cp "$work/said" "$work/stats"
try "stats of an extract" 0 stats -c "$work/configs/run.yaml" --as-of $as_of \
    --extract "$work/extract"
expect "are the same" cmp "$work/said" "$work/stats"
rows=$(ask "select rows from stratify.run_list join stratify.current_run using (run_id)
            where list = 'hfrs'")
expect_same "rows are those of the run, and nothing moved" \
    "$(awk '$1 == "hfrs" { print $5, $8, $9 }' "$work/stats")" "$rows +0.0 %"
listed=$(awk -F, 'NR > 1 { print $1 }' configs/codelists/hfrs.csv | paste -sd'|')
met=$(ask "select count(distinct substr(d.icd10_code, 1, 3))
           from sid.diagnosis d join stratify.current_person p using (person_id)
           where d.icd10_code ~ '^($listed)' and $in_two_years")
expect_same "codes never met" "$(awk '$1 == "hfrs" { print $4 }' "$work/stats")" $((109 - met))
ask "insert into sid.diagnosis select * from sid.diagnosis where icd10_code like 'N39%'"
try "stats after a change of the data" 0 \
    stats -c "$work/configs/run.yaml" --as-of $as_of
expect "the rate has risen" test "$(awk '$1 == "hfrs" { print ($6 > $7) }' "$work/said")" = 1
try "codes of one list" 0 \
    stats charlson_quan -c "$work/configs/run.yaml" --as-of $as_of
expect_same "as many as are counted" "$(grep -c ' icd10 ' "$work/said")" \
    "$(awk '$1 == "charlson_quan" { print $4 }' "$work/stats")"
try "a list that is not there" 2 \
    stats hfsr -c "$work/configs/run.yaml" --as-of $as_of
expect "with the nearest one" grep 'did you mean "hfrs"?' "$work/said"
summary
