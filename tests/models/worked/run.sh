#!/bin/sh
# run.sh: scores the worked examples and compares each with what it must be. Run it as
# tests/support/cluster.sh tests/models/worked/run.sh: it makes and drops schema sid.
#
# expected.csv: person, model, score, band, why. A score may be a fraction (5/36); an empty
# one means that the model has none for this person. Scores agree to 1e-9. In place of a
# model stands "segment", with the segment as the band; or a cohort, with the rank as the
# score and "in" or "out" as the band. See README.md.
set -eu
cd "$(dirname "$0")/../../.."
. tests/support/say.sh
. tests/realdata/count.sh
here=tests/models/worked

# got OUT: person,model,score,band of everybody; person,segment,,SEGMENT; person,COHORT,rank,in.
got() {
    cells "$1/run_model.csv.gz" model | while read -r model; do
        cells "$1/person.csv.gz" person_id "${model}_score" "${model}_band" |
            sed "s/,/,$model,/"
    done
    cells "$1/run_segment.csv.gz" segment_no segment >"$work/segments"
    cells "$1/person.csv.gz" person_id segment_no | awk -F, '
        FILENAME != "-" {name[$1] = $2; next}
        $2 != "" {print $1 ",segment,," name[$2]}' "$work/segments" -
    cells "$1/cohort_member.csv.gz" person_id cohort rank | sed 's/$/,in/'
}

# compare OUT EXPECTED: one line for each that differs; the last counts those that agree.
compare() {
    got "$1" | awk -F, '
        function number(text, part) {
            return split(text, part, "/") == 2 ? part[1] / part[2] : part[1] + 0
        }
        FILENAME == "-" {score[$1, $2] = $3; band[$1, $2] = $4; next}
        FNR == 1 {next}
        {
            s = score[$1, $2]
            d = number(s) - number($3)
            if ($4 == "out")
                ok = band[$1, $2] == ""
            else
                ok = ($1, $2) in band && (s == "") == ($3 == "") && d < 1e-9 && d > -1e-9 &&
                    ($4 == "" || $4 == band[$1, $2])
            if (ok)
                agree++
            else
                printf "person %s, %s: %s %s, expected %s %s (%s)\n", $1, $2, s, band[$1, $2],
                    $3, $4, $5
        }
        END {print agree " agree"}' - "$2"
}

# check FOLDER [CONFIG [EXPECTED]]
check() {
    expected=${3:-$1/expected.csv}
    out=$work/$(basename "$expected" .csv)-$(basename "$1")
    expect "$expected runs" "$stratify" run -q -c "${2:-$1/run.yaml}" --as-of 2026-04-01 --out "$out"
    cells "$out/run_model.csv.gz" model_no model >"$work/models"
    cells "$out/run_band.csv.gz" model_no band | awk -F, '
        FILENAME != "-" {name[$1] = $2; next}
        {print name[$1] "," $2}' "$work/models" - >>"$work/bands"
    compare "$out" "$expected" >"$work/report"
    sed '$d' "$work/report"
    want=$(($(wc -l <"$expected") - 1))
    expect_same "$expected: worked examples" "$want agree" "$(tail -n 1 "$work/report")"
}

for set in library discharge inouye efi2 kaiser; do
    check $here/$set
done
check tests/data/glm

# Segments and cohorts: the library over people of their own.
cp -R configs "$work/configs"
for set in frailty_grid bnssg bridges_style core20plus5; do
    case $set in
    core20plus5) drop='^$' ;;
    bridges_style) drop=features_core20 ;;
    *) drop='features_core20\|features_cohorts' ;;
    esac
    sed "s#segments/core20plus5.yaml#segments/$set.yaml#; /$drop/d
        s#^sources: .*#sources: $PWD/$here/segments/sources.yaml#" configs/library.yaml \
        >"$work/configs/$set.yaml"
    check $here/segments "$work/configs/$set.yaml" $here/segments/$set.csv
done

# The rules of configs/operations are in the query of its source, so these are in tables.
psql -qX -v ON_ERROR_STOP=1 -f sql/10_source.sql -f $here/operations/people.sql
check $here/operations configs/operations/run.yaml
psql -qXc 'set client_min_messages to warning; drop schema sid cascade'

# Every band of every model has somebody in it.
awk -F, 'FNR > 1 {print $2 "," $4}' $here/*/*.csv | LC_ALL=C sort -u >"$work/met"
expect "bands are known" test -s "$work/bands"
expect_same "bands without a row" "" "$(LC_ALL=C sort -u "$work/bands" | LC_ALL=C comm -23 - "$work/met")"

# Every row says where its figure is from, and every trap of README.md has its rows.
sources=$(awk 'FNR > 1 && !/\[(by hand|formula|published): [^]]*\]"?$/' $here/*/*.csv | wc -l)
expect_same "rows without a source" 0 "$((sources))"
tr '`' '\n' <$here/README.md | grep -E '^(library|discharge|inouye|efi2|kaiser|operations) [0-9]+ [a-z0-9_]+$' |
    sort -u >"$work/named"
expect "traps name rows" test "$(wc -l <"$work/named")" -gt 200
for set in library discharge inouye efi2 kaiser operations; do
    awk -F, -v set=$set 'FNR > 1 {print set " " $1 " " $2}' $here/$set/expected.csv
done | sort -u >"$work/rows"
expect_same "rows that traps name and that are not there" "" "$(comm -23 "$work/named" "$work/rows")"
for file in $(tr '`' '\n' <$here/README.md | grep '^tests/[a-z]*/test_'); do
    expect "$file" test -s "$file"
done
summary
