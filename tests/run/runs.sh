#!/bin/sh
# Several runs kept beside each other: what diff counts against the people themselves,
# going back to an earlier run, and the removal of old ones.
set -eu
. tests/support/say.sh
as_of=2026-04-01
cp -R configs "$work/configs"
nightly=$work/configs/run.yaml
other=$work/configs/other.yaml
sed -i 's/^keep_runs:.*/keep_runs: 2/' "$nightly"
# Another model comes first, so that all models of both runs change places.
sed 's#^  - models/efi.yaml#  - models/charlson_age.yaml\n&#; s/^title:.*/title: Other/' \
    "$nightly" >"$other"

runs_kept() { psql -Atc "select string_agg(run_id || ' ' || status, ', ' order by run_id) from stratify.run"; }
current() { psql -Atc 'select run_id from stratify.current_run'; }
night() { $stratify run -q -c "$@"; }

# The numbers of diff, and as they are counted one by one.
compare() {
    psql -At -v before="$1" -v after="$2" <<'SQL'
create temp table d as select * from stratify.diff_standing(:before, :after);
create temp table s as select stratify.diff_summary(:before, :after) as summary;
create temp table told as select m.* from s, stratify.diff_models(:before, :after, s.summary) m;
create temp table counted as
select
    model,
    count(d.person_id) as people,
    count(*) filter (where d.score_before is distinct from d.score_after) as other_score,
    count(*) filter (where d.standing_before <> d.standing_after) as other_band,
    count(*) filter (where d.bands_up > 0) as up,
    count(*) filter (where d.bands_up < 0) as down,
    count(*) filter (where d.rank_before <> d.rank_after) as other_rank,
    percentile_cont(0.5) within group (order by abs(d.rank_after - d.rank_before))
        filter (where d.rank_before <> d.rank_after) as middle_move,
    max(abs(d.rank_after - d.rank_before)) as most_move
from (select distinct model from stratify.run_model where run_id in (:before, :after)) m
left join d using (model)
group by model;
select 'models: ' || count(*)
from (select model, people, other_score, other_band, up, down, other_rank, middle_move,
          most_move from told
      except select * from counted) x;
select 'bands: ' || count(*)
from (select b.* from s, stratify.diff_bands(s.summary) b
      except
      select model, standing_before, standing_after, count(*) from d
      where standing_before <> standing_after group by 1, 2, 3) x;
select 'transitions: ' || ((select sum(b.people) from s, stratify.diff_bands(s.summary) b)
                           = (select sum(other_band) from counted));
select 'both: ' || ((select (summary ->> 'shared')::bigint from s)
    = (select count(*) from stratify.person a join stratify.person b using (person_id)
       where a.run_id = :before and b.run_id = :after));
select 'something differs: ' || (sum(other_score) > 0 and sum(other_rank) > 0) from counted;
SQL
}

$stratify synth -q --people 2000 --seed 5 --as-of $as_of
$stratify init -q
expect_exit "no runs yet" 0 $stratify runs
expect_exit "no list yet" 2 $stratify list
expect_exit "nothing to compare" 2 $stratify diff 1 2
expect_exit "nothing to go back to" 2 $stratify publish 1
expect_exit "the first night" 0 night "$nightly" --as-of $as_of
first=$(current)
expect_exit "two weeks later, beside it" 0 night "$nightly" --as-of 2026-04-15 --shadow
later=$(psql -Atc 'select max(run_id) from stratify.run')
expect_exit "other models beside it" 0 night "$other" --as-of 2026-04-15 --shadow
models=$(psql -Atc 'select max(run_id) from stratify.run')
expect_same "a shadow run is not the current one" "$(current)" "$first"

# -- diff
sound='models: 0
bands: 0
transitions: true
both: true
something differs: true'
expect_same "two weeks" "$(compare "$first" "$later" | grep :)" "$sound"
expect_same "other models" "$(compare "$first" "$models" | grep :)" "$sound"
expect_same "the other way round" "$(compare "$models" "$first" | grep :)" "$sound"
expect_exit "on a terminal and in a file" 0 $stratify diff "$first" "$models" --out "$work/d.csv.gz"
expect_same "a row for each difference" \
    "$(gzip -dc "$work/d.csv.gz" | sed 1d | wc -l)" \
    "$(psql -Atc "select count(*) from stratify.diff_people($first, $models)")"

# -- going back, and retention
expect_exit "a shadow run is never made current" 2 $stratify publish "$later"
expect_exit "the second night" 0 night "$nightly" --as-of 2026-04-02
second=$(current)
expect_exit "back to the first" 0 $stratify publish "$first"
expect_same "what is current is said" "$(cat "$work/out")" "run $first is the current one"
expect_same "readers see the first" "$(current)" "$first"
expect_exit "the third night" 0 night "$nightly" --as-of 2026-04-03
third=$(current)
expect_same "two published and two shadow runs are kept" "$(runs_kept)" \
    "$later shadow, $models shadow, $second published, $third published"
expect_same "and no table of the others" \
    "$(psql -Atc "select count(*) from pg_class where relname ~ '_r${first}(_|\$)'")" 0

# -- a night under another name
sed 's/id: anticipatory_care/id: proactive_care/' "$work/configs/cohorts.yaml" >"$work/configs/renamed.yaml"
sed 's/^cohorts:.*/cohorts: renamed.yaml/' "$nightly" >"$work/configs/none.yaml"
moved() { psql -Atc "select string_agg(distinct movement, ' ' order by movement) from stratify.current_cohort_member
                     where cohort = 'anticipatory_care' and movement <> 'left'"; }
expect_exit "a night without the cohort" 0 night "$work/configs/none.yaml" --as-of 2026-04-03
expect_same "has none" "$(moved)" ""
expect_exit "the night after it" 0 night "$nightly" --as-of 2026-04-03
expect_same "compares with the last that had it" "$(moved)" continuing
expect_exit "what is removed cannot come back" 2 $stratify publish "$first"
summary
