#!/bin/sh
# run.sh: scores the worked examples and compares each with what it must be. Run it as
# tests/support/cluster.sh tests/models/worked/run.sh: it makes and drops schema sid.
#
# expected.csv: person, model, score, band, why. A score may be a fraction (5/36); an empty
# one means that the model has none for this person. Scores agree to 1e-9.
set -eu
cd "$(dirname "$0")/../../.."
. tests/support/say.sh
. tests/realdata/count.sh

# got OUT: person,model,score,band of everybody.
got() {
    cells "$1/run_model.csv.gz" model | while read -r model; do
        cells "$1/person.csv.gz" person_id "${model}_score" "${model}_band" |
            sed "s/,/,$model,/"
    done
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
            ok = ($1, $2) in score && (s == "") == ($3 == "") && d < 1e-9 && d > -1e-9 &&
                ($4 == "" || $4 == band[$1, $2])
            if (ok)
                agree++
            else
                printf "person %s, %s: %s %s, expected %s %s (%s)\n", $1, $2, s, band[$1, $2],
                    $3, $4, $5
        }
        END {print agree " agree"}' - "$2"
}

# check FOLDER [CONFIG]
check() {
    out=$work/$(basename "$1")
    expect "$1 runs" "$stratify" run -q -c "${2:-$1/run.yaml}" --as-of 2026-04-01 --out "$out"
    compare "$out" "$1/expected.csv" >"$work/report"
    sed '$d' "$work/report"
    want=$(($(wc -l <"$1/expected.csv") - 1))
    expect_same "$1: worked examples" "$want agree" "$(tail -n 1 "$work/report")"
}

for set in library discharge inouye efi2; do
    check tests/models/worked/$set
done
check tests/data/glm

# The rules of configs/operations are in the query of its source, so these are in tables.
psql -qX -v ON_ERROR_STOP=1 -f sql/10_source.sql -f tests/models/worked/operations/people.sql
check tests/models/worked/operations configs/operations/run.yaml
psql -qXc 'set client_min_messages to warning; drop schema sid cascade'
summary
