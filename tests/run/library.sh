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

expect "worked examples" env STRATIFY="$stratify" tests/models/worked/run.sh
cat "$work/out"

expect "docs/models.md is what the configs say" env STRATIFY="$stratify" scripts/docs.sh --check

$stratify synth -q --people 20000 --seed 1 --as-of $as_of
$stratify init -q
sql -f tests/oracle/codes.sql -f tests/oracle/codes_library.sql -f tests/oracle/enrich.sql
expect "the library runs" $stratify run -q -c configs/library.yaml --as-of $as_of
expect "scores equal those of plain SQL" tests/oracle/compare.sh
cat "$work/out"

cp -R configs "$work/configs"
# What the example dataset has not is made up, so that everybody can be scored.
sed -i 's#null::double precision as imd_2007_score#i.spell_id % 600 / 10.0 as imd_2007_score#
    s#null::double precision as haemoglobin#8 + i.spell_id % 80 / 10.0 as haemoglobin#
    s#null::double precision as sodium#125 + i.spell_id % 25 as sodium#' \
    "$work/configs/discharge/sources.yaml"
sed -i 's#null::boolean as is_married#nullif(p.person_id % 7, 0) is not null and p.person_id % 3 = 0 as is_married#
    s#null::int as practice_visits_12m#case when p.person_id % 7 <> 0 then p.person_id % 13 end as practice_visits_12m#' \
    "$work/configs/inouye/sources.yaml"
sql -f tests/oracle/codes.sql -f tests/oracle/codes_library.sql \
    -f tests/oracle/enrich_operations.sql
for set in efi2 inouye operations discharge; do
    # The made-up hospital goes on for a year, and discharges are the last there are.
    [ $set != discharge ] || as_of=2027-04-01
    expect "$set runs" $stratify run -q -c "$work/configs/$set/run.yaml" --as-of $as_of \
        --out "$work/$set"
    expect "$set: scores equal those of plain SQL" tests/oracle/compare.sh $as_of "$work/$set" $set
    cat "$work/out"
done
summary
