#!/bin/sh
# Who was scored on an input that the model's policies replaced carries a flag, and is
# counted: by plain SQL over the source, in the tables, in files, in the log, in the
# metrics and on a list.
set -eu
. tests/support/say.sh
as_of=2026-04-01
cp -R configs "$work/configs"
cat >"$work/configs/models/local_risk.yaml" <<'END'
model: local_risk
version: "1"
title: A model made for ages 40 to 80
kind: regression
source: this test
licence: MIT
purpose: [direct-care]
link: identity
intercept: 0
missing: impute
range: clamp
terms:
  - {feature: age, weight: 1, min: 40, max: 80}
  - {feature: imd_decile, weight: 1, impute: 5, label: Deprivation "decile"}
END
cat >"$work/configs/models/local_share.yaml" <<'END'
model: local_share
version: "1"
title: The same between 0 and 1
kind: recalibrated
source: this test
licence: MIT
purpose: [direct-care]
of: {model: local_risk, version: "1"}
scale: score
range: clamp
map: [[41, 0], [84, 1]]
END
sed -i 's#  - models/efi.yaml#&\n  - models/local_share.yaml\n  - models/local_risk.yaml#' \
    "$work/configs/run.yaml"
sed -i 's/show: \[admission_12m, efi, hfrs\]/show: [admission_12m, efi, local_risk]/' \
    "$work/configs/cohorts.yaml"
$stratify synth -q --people 4000 --seed 3 --as-of $as_of
$stratify init -q
psql -qc 'update sid.person set imd_decile = null where person_id % 9 = 0'
run() {
    $stratify run -c "$work/configs/run.yaml" --as-of $as_of "$@"
}
expect "a run" run --metrics "$work/prom"
cp "$work/out" "$work/log"

psql -qAtX <<'END'
create table wanted as
    select c.person_id, c.age < 40 as below, c.age > 80 as above, s.imd_decile is null as imputed,
           least(greatest(c.age, 40), 80) + coalesce(s.imd_decile, 5) as score
    from stratify.current_person c join sid.person s using (person_id);
create table got as
    select model, person_id, score, coalesce(flag, '') as flag
    from stratify.current_score where model in ('local_risk', 'local_share');
END
sql() {
    psql -qAtX -c "$1"
}
words="concat_ws(' and ', case when XX then 'clamped' end, case when imputed then 'imputed' end)"
expect_same "scores and flags equal those of plain SQL" 0 "$(sql "
    select count(*) from wanted w join got g using (person_id) where g.model = 'local_risk'
    and (g.score <> w.score or g.flag <> $(echo "$words" | sed 's/XX/below or above/'))")"
expect_same "and of a recalibration, with those of its part" 0 "$(sql "
    select count(*) from wanted w join got g using (person_id) where g.model = 'local_share'
    and g.flag <> $(echo "$words" | sed 's/XX/below or above or w.score < 41 or w.score > 84/')")"
expect_same "every flag is met, and none" ", clamped, clamped and imputed, imputed" "$(sql "
    select string_agg(distinct flag, ', ' order by flag) from got")"
expect_same "counted by input" "$(sql "
    select concat_ws(' ', count(*) filter (where below), count(*) filter (where above), 0) from wanted
    union all select concat_ws(' ', 0, 0, count(*) filter (where imputed)) from wanted")" "$(sql "
    select concat_ws(' ', clamped_below, clamped_above, i.imputed)
    from stratify.run_input i join stratify.run_model using (run_id, model_no)
    where model = 'local_risk' order by input_no")"
expect_same "and by model" "$(sql "
    select concat_ws(' ', count(*) filter (where below or above), count(*) filter (where imputed))
    from wanted")" "$(sql "
    select concat_ws(' ', clamped, imputed) from stratify.run_model where model = 'local_risk'")"
imputed=$(sql 'select count(*) from wanted where imputed')
above=$(sql 'select count(*) from wanted where above')
expect "in the metrics" grep -qF "stratify_replaced_inputs{model=\"local_risk\",input=\"Deprivation \\\"decile\\\"\",how=\"imputed\"} $imputed" "$work/prom"
expect "in the log" grep -q "model=local_risk input=\"Age\" .* clamped_above=$above imputed=0" "$work/log"

# -- on a list
group=$(sql "select min(group_code) from stratify.current_cohort_member
             where cohort = 'anticipatory_care' and scores -> 'local_risk' ? 'flag'")
$stratify list anticipatory_care --group "$group" >"$work/list"
expect "a mark" grep -q 'local_risk [0-9.]* \*' "$work/list"
expect "and what it means" grep -q '^\* an input was out of range' "$work/list"
$stratify list care_home_residents --group "$group" >"$work/list"
expect_same "no mark, no words" 0 "$(grep -c '\*' "$work/list")"

# -- yes, no, or not recorded
for model in bare:not_scored zero:zero; do
    cat >"$work/configs/models/carer_${model%%:*}.yaml" <<END
model: carer_${model%%:*}
version: "1"
title: A model of a yes or no that may not be recorded
kind: regression
source: this test
licence: MIT
purpose: [direct-care]
link: identity
intercept: 0
missing: ${model##*:}
terms:
  - {value: care_home, weight: 2}
END
done
sed 's/kind: regression/kind: points/; /^link/d; /^intercept/d; s/carer_bare/carer_points/; s/value: care_home/feature: in_a_home/' \
    "$work/configs/models/carer_bare.yaml" >"$work/configs/models/carer_points.yaml"
cat >"$work/configs/homes.yaml" <<'END'
derived:
  - {id: in_a_home, label: Lives in a care home, value: care_home}
END
sed 's#  - models/efi.yaml#&\n  - models/carer_bare.yaml\n  - models/carer_zero.yaml\n  - models/carer_points.yaml#
     s#^features: \[#&homes.yaml, #' "$work/configs/run.yaml" >"$work/configs/homes_run.yaml"
psql -qc 'alter table sid.person alter is_care_home drop not null' \
    -c 'update sid.person set is_care_home = null where person_id % 4 = 0'
expect "a run" $stratify run -c "$work/configs/homes_run.yaml" --as-of $as_of --shadow
homes() { # MODEL: people by what is recorded, score and flag
    sql "select string_agg(line, ', ' order by line) from (
        select distinct concat_ws(' ', coalesce(p.is_care_home::text, 'unknown'), s.score[m.model_no + 1],
            case s.flag[m.model_no + 1] when 2 then 'imputed' end) as line
        from stratify.person s join sid.person p using (person_id)
        join stratify.run_model m on m.run_id = s.run_id and m.model = '$1'
        where s.run_id = (select max(run_id) from stratify.run)) lines"
}
expect_same "who has no answer has no score" "$(homes carer_bare)" "false 0, true 2, unknown"
expect_same "nor by way of a name" "$(homes carer_points)" "false 0, true 2, unknown"
expect_same "or the score of a no, and a flag" "$(homes carer_zero)" "false 0, true 2, unknown 0 imputed"
psql -qc 'update sid.person set is_care_home = false where is_care_home is null'

# -- in files
expect "a run into files" run -q --out "$work/files" --threads 1
for threads in 2 7; do
    expect "$threads threads" run -q --out "$work/files $threads" --threads $threads
    expect "$threads threads write the same" diff -r "$work/files" "$work/files $threads"
done
column() {
    gzip -dc "$work/files/person.csv.gz" | tr -d '\r' | awk -F, -v name="$1" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        { n[$at]++ }
        END { for (flag in n) print flag "," n[flag] }' | LC_ALL=C sort
}
for model in local_risk local_share; do
    expect_same "flags of $model" "$(column ${model}_flag)" "$(sql "
        select flag || ',' || count(*) from got where model = '$model' group by flag" | LC_ALL=C sort)"
done
summary
