#!/bin/sh
# The example of recalibration and ensembles, scored in a run, equals its formulas in SQL
# over the scores of its members, to 1e-9.
set -eu
. tests/support/say.sh
as_of=2026-04-01
config=configs/examples/calibration
$stratify synth -q --people 5000 --seed 2 --as-of $as_of
$stratify init -q
$stratify run -q -c $config/run.yaml --as-of $as_of
psql -q <<END
create table points (hfrs float8, risk float8, people int);
\copy points from '$config/hfrs_admission.csv' with (format csv, header)
create view line as
    select hfrs as x, risk as y, lead(hfrs) over w as next_x, lead(risk) over w as next_y
    from points window w as (order by hfrs);
create table one as
    select person_id, model, score from stratify.current_score where score is not null;
analyze one;
create table wide as
    select a.person_id, a.score / 100 as a, h.score as h, r.score / 100 as risk,
           l.score / 100 as local, b.score / 100 as blend
    from one a join one h using (person_id) join one r using (person_id)
        join one l using (person_id) join one b using (person_id)
    where a.model = 'admission_12m' and h.model = 'hfrs' and r.model = 'hfrs_admission'
        and l.model = 'admission_12m_local' and b.model = 'admission_blend';
create table off as
    select max(abs(risk - (select y + (next_y - y) * (least(h, 143.4) - x) / (next_x - x)
                           from line where h >= x and next_x is not null
                           order by x desc limit 1))) as risk,
           max(abs(local - 1 / (1 + exp(0.0037 - 1.0076 * ln(a / (1 - a)))))) as local,
           max(abs(blend - 1 / (1 + exp(-0.1930 - 0.8691 * ln(a / (1 - a))
                                        - 0.2138 * ln(risk / (1 - risk)))))) as blend,
           count(*) as people
    from wide;
END
expect_same "a risk for each score, by the table" "$(psql -qAtc 'select risk < 1e-9 from off')" t
expect_same "intercept and slope" "$(psql -qAtc 'select local < 1e-9 from off')" t
expect_same "two models weighed together" "$(psql -qAtc 'select blend < 1e-9 from off')" t
expect_same "for every adult that the regression scores" "$(psql -qAtc 'select people from off')" \
    "$(psql -qAtc "select count(*) from one where model = 'admission_12m'")"

# -- the config ----------------------------------------------------------------------
cp -R configs "$work/configs"
folder=$work/$config
check() {
    expect_exit "$1" "$2" env -u PGHOST -u PGDATABASE $stratify check -c "$folder/run.yaml"
}
hash() {
    grep -o 'config=[0-9a-f]*' "$work/out"
}
check "the example" 0
whole=$(hash)
sed -i 's/0.7592/0.7593/' "$folder/hfrs_admission.csv"
check "another map" 0
expect "is another config" test "$(hash)" != "$whole"
sed -i '/admission_blend.yaml/d; s/^models:/&\n  - admission_blend.yaml/' "$folder/run.yaml"
check "an ensemble before its members" 0
sed -i 's/^of: .*/of: {model: admission_blend, version: "1.0"}/; s/^scale: .*//' "$folder/hfrs_admission.yaml"
check "a circle" 3
expect_same "is told whole" "$(cat "$work/out")" \
    "$folder/admission_blend.yaml:1:1: \"admission_blend\" needs itself: admission_blend -> hfrs_admission -> admission_blend"
sed -i 's/weight: 0.8691/weigth: 0.8691/' "$folder/admission_blend.yaml"
check "a key that is none" 3
cp "$work/out" "$work/said"
expect "has a hint" grep 'did you mean "weight"?' "$work/said"
summary
