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

# Two things at a time, since a machine has two cores: background NAME COMMAND..., and
# finish NAME, which waits for it, shows what it said and counts it.
background() {
    name=$1
    shift
    ("$@" >"$work/$name.said" 2>&1 && touch "$work/$name.ok") &
    echo $! >"$work/$name.pid"
}
finish() {
    wait "$(cat "$work/$1.pid")" || true
    cat "$work/$1.said"
    expect "$1" test -e "$work/$1.ok"
}

# The worked examples have a schema sid of their own, so they have a database too.
psql -qXc 'create database worked'
background "worked examples" env STRATIFY="$stratify" PGDATABASE=worked tests/models/worked/run.sh

$stratify synth -q --people 20000 --seed 1 --as-of $as_of
$stratify init -q
sql -f tests/oracle/codes.sql -f tests/oracle/codes_library.sql -f tests/oracle/enrich.sql
expect "the library runs" $stratify run -q -c configs/library.yaml --as-of $as_of
background "scores equal those of plain SQL" tests/oracle/compare.sh
finish "worked examples"
expect "docs/models.md is what the configs say" env STRATIFY="$stratify" scripts/docs.sh --check

# What the example dataset has not is made up, so that everybody can be scored.
cp -R configs "$work/configs"
sed -i 's#null::double precision as imd_2007_score#i.spell_id % 600 / 10.0 as imd_2007_score#
    s#null::double precision as haemoglobin#8 + i.spell_id % 80 / 10.0 as haemoglobin#
    s#null::double precision as sodium#125 + i.spell_id % 25 as sodium#' \
    "$work/configs/discharge/sources.yaml"
sed -i 's#null::boolean as is_married#nullif(p.person_id % 7, 0) is not null and p.person_id % 3 = 0 as is_married#
    s#null::int as practice_visits_12m#case when p.person_id % 7 <> 0 then p.person_id % 13 end as practice_visits_12m#' \
    "$work/configs/inouye/sources.yaml"

# beside_sql SET AS_OF: runs the config and starts the comparison.
beside_sql() {
    expect "$1 runs" $stratify run -q -c "$work/configs/$1/run.yaml" --as-of "$2" --out "$work/$1"
    background "$1: scores equal those of plain SQL" tests/oracle/compare.sh "$2" "$work/$1" "$1"
}
beside_sql efi2 $as_of
beside_sql inouye $as_of
# The made-up hospital goes on for a year, and discharges are the last there are.
beside_sql discharge 2027-04-01
finish "scores equal those of plain SQL"
for set in efi2 inouye discharge; do finish "$set: scores equal those of plain SQL"; done

sql -f tests/oracle/codes.sql -f tests/oracle/codes_library.sql \
    -f tests/oracle/enrich_operations.sql
beside_sql operations $as_of
finish "operations: scores equal those of plain SQL"
summary
