#!/bin/sh
# run.sh DIR: runs data that others made through configs alone and checks that every row
# is accounted for.
#
# DIR holds the folders nhs_apc_simulated, synthea_uk and omop_synthea27. Each set runs in
# build/realdata, where its config lies beside a link to the data. What the engine counted
# is compared with what awk counts in the same files. The OMOP tables are loaded into a
# throwaway server first, since that is where such tables lie.
set -eu
cd "$(dirname "$0")/../.."
if [ -z "${IN_REALDATA:-}" ]; then
    IN_REALDATA=1 exec tests/support/cluster.sh "$0" "$@"
fi
. tests/support/say.sh
. tests/realdata/count.sh
data=$(cd "$1" && pwd)

# set_up NAME FOLDER: a copy of the config with the data beside it.
set_up() {
    data_set=$1
    here=build/realdata/$1
    out=$here/out
    rm -rf "$here"
    mkdir -p build/realdata
    cp -R "tests/realdata/$1" build/realdata/
    ln -s "$data/$2" "$here/data"
    echo "== $data_set"
}

# run_set AS_OF
run_set() {
    as_of=$1
    expect "$data_set runs" "$stratify" run -q -c "$here/run.yaml" --as-of "$as_of" --out "$out"
    expect_same "$data_set: every row of every source has one fate" \
        "$(cells "$out/run_source_fate.csv.gz" source rows | add_up)" \
        "$(cells "$out/run_source.csv.gz" source rows | add_up)"
}

# counted WHAT EXPECTED MODEL: a count of ours beside the engine's.
counted() {
    printf '%-32s %8s %8s\n' "$1" "$2" "$(score_sum "$out" "$3")"
    expect_same "$data_set: $1" "$2" "$(score_sum "$out" "$3")"
}

# people EXPECTED
people() {
    printf '%-32s %8s %8s\n' "people" "$1" "$(rows_of "$out/person.csv.gz")"
    expect_same "$data_set: people" "$1" "$(rows_of "$out/person.csv.gz")"
}

# read_rows SOURCE FILE: everything in the file was read.
read_rows() {
    expect_same "$data_set: rows of $1" "$(rows_of "$here/data/$2.csv.gz")" \
        "$(cells "$out/run_source.csv.gz" source rows | awk -F, -v s="$1" '$1 == s {print $2}')"
}

. tests/realdata/nhs_apc/check.sh
. tests/realdata/synthea_uk/check.sh
. tests/realdata/omop/check.sh
summary
