-- One night in plain SQL: the job of configs/bench/bench.yaml, set by set, inside the
-- server, in one transaction. Variables: as_of, run (a number not used before).
--
-- Written to be fast. Steps are unlogged tables and not temporary ones, because parallel
-- workers cannot read the latter; each is analysed before it is joined. Deficits and
-- conditions are bits of one integer, so that a person is one group of one aggregate; texts
-- are brought into their normal form once for each different text and not for each row.
-- The terms of the regression are added in the order of the engine: the same last bit.
begin;
set local work_mem = '512MB';
set local hash_mem_multiplier = 2;
set local jit = off;
set local max_parallel_workers_per_gather = 2;
set local parallel_tuple_cost = 0.01;
set local default_statistics_target = 10; -- enough for steps that are read once

-- ---- who is in the run ------------------------------------------------------------

create unlogged table peer.known as
with opted as (
    select person_id, bool_or(opt_out_type in ('type-1', 'local')) as is_out,
        bool_or(opt_out_type = 'national') as hides_hospital
    from sid.opt_out
    group by person_id
), area as (
    -- Numbers sort faster than codes.
    select *, row_number() over (order by practice_code)::int as practice_no,
        dense_rank() over (order by pcn_code)::int as pcn_no,
        dense_rank() over (order by locality)::int as locality_no,
        dense_rank() over (order by place)::int as place_no
    from sid.practice
), registered as (
    -- A registration whose end is the as-of day is over at the start of that day.
    -- Overlapping ones: the latest start, then the longest, then the lowest code.
    select distinct on (person_id) person_id, practice_code
    from sid.registration
    left join peer.sentinel a on a.day = start_date
    left join peer.sentinel z on z.day = end_date
    where (start_date is null or a.day is not null or start_date <= :'as_of')
        and (end_date is null or z.day is not null or end_date > :'as_of')
        and not coalesce(end_date < start_date and a.day is null and z.day is null, false)
    order by person_id, case when a.day is null then coalesce(start_date, '-infinity')
                             else '-infinity' end desc,
        case when z.day is null then coalesce(end_date, 'infinity') else 'infinity' end desc,
        practice_code collate "C"
)
select p.person_id, p.birth_date, p.sex, coalesce(o.hides_hospital, false) as hides_hospital,
    extract(year from age(:'as_of'::date, p.birth_date))::smallint as age,
    coalesce(p.is_care_home, false) as care_home, coalesce(p.imd_decile, 6) as imd_decile,
    r.practice_code, c.pcn_code, c.locality, c.place, c.practice_no, c.pcn_no, c.locality_no,
    c.place_no
from sid.person p
join registered r using (person_id)
join area c using (practice_code)
left join opted o using (person_id)
where p.birth_date <= :'as_of'
    and (p.death_date is null or p.death_date >= :'as_of')
    and not coalesce(p.is_test_patient, false)
    and not coalesce(o.is_out, false);
analyze peer.known;

-- ---- what is counted ----------------------------------------------------------------

-- Rows of other codes are dropped before the joins: a hashed list of constants costs less
-- for each row. Adding 0 spares the planner from looking up each code in its statistics.
-- A recorded day that nobody knows still happened: it counts for "ever".
select '{' || string_agg(distinct code::text, ',') || '}' as codes from peer.efi_code
\gset
create unlogged table peer.gp as
select person_id, bit_count(bit_or(mask)::bit(64))::int as deficits
from sid.gp_event e
join peer.efi_code c on c.code = e.snomed_code
join peer.known p using (person_id)
where e.snomed_code + 0 = any(:'codes'::bigint[])
    and (e.event_date < :'as_of' and e.event_date >= p.birth_date or e.event_date is null
       or e.event_date in ('1582-10-15', '1600-01-01', '1800-01-01', '1801-01-01',
                           '1900-01-01', '9999-12-31'))
    and (not c.has_rule or (c.gt is null or e.numeric_value > c.gt
                            and e.numeric_value <> 'NaN')
         and (c.lt is null or e.numeric_value < c.lt)
         and (c.sex is null or c.sex = p.sex))
group by person_id;

create unlogged table peer.issued as
select person_id, bnf_code
from sid.prescription s
join peer.known p using (person_id)
where s.issue_date >= :'as_of'::date - interval '12 months'
    and s.issue_date < :'as_of' and s.issue_date >= p.birth_date
group by person_id, bnf_code;

create unlogged table peer.drug as
select bnf_code, dense_rank() over (order by left(code, 9))::int as substance
from (select bnf_code, regexp_replace(upper(bnf_code), '[^A-Z0-9]', '', 'g') as code
      from (select distinct bnf_code from peer.issued) d) d
join peer.chapter on chapter = left(code, 2);
analyze peer.drug;

create unlogged table peer.medicine as
select person_id, count(*)::int as medicines
from (select distinct person_id, substance
      from peer.issued join peer.drug using (bnf_code)) s
group by person_id;

-- The different codes by one walk over the index: a few thousand steps.
create unlogged table peer.dx_code as
with recursive walk as (
    (select icd10_code from sid.diagnosis order by icd10_code limit 1)
    union all
    select (select d.icd10_code from sid.diagnosis d where d.icd10_code > w.icd10_code
            order by d.icd10_code limit 1)
    from walk w where w.icd10_code is not null
), normal as (
    select icd10_code, regexp_replace(upper(icd10_code), '[^A-Z0-9]', '', 'g') as code
    from walk where icd10_code is not null
)
select icd10_code, h.number, h.tenths,
    (select coalesce(bit_or(k.mask), 0) from peer.charlson_code k
     where starts_with(n.code, k.prefix)) as mask
from normal n
left join peer.hfrs_code h on h.code = left(n.code, 3);
delete from peer.dx_code where number is null and mask = 0;
analyze peer.dx_code;

create unlogged table peer.coded as
select person_id, number, tenths, bit_or(mask) as mask,
    bool_or(d.diagnosis_date >= :'as_of'::date - interval '2 years') as is_recent
from sid.diagnosis d
join peer.dx_code using (icd10_code)
join peer.known p using (person_id)
where d.diagnosis_date >= :'as_of'::date - interval '5 years'
    and d.diagnosis_date < :'as_of' and d.diagnosis_date >= p.birth_date
    and not p.hides_hospital
group by person_id, number, tenths;

create unlogged table peer.hospital as
select person_id, coalesce(sum(tenths) filter (where is_recent), 0)::int as tenths,
    bit_or(mask) as mask
from peer.coded group by person_id;

create unlogged table peer.charlson as
select s.mask, coalesce(sum(b.weight), 0)::int as points
from (select distinct mask from peer.hospital) s
left join peer.charlson_bit b on s.mask & b.mask <> 0 and s.mask & b.serious_mask = 0
group by s.mask;

create unlogged table peer.admission as
select person_id,
    count(*) filter (where admission_date >= :'as_of'::date - interval '12 months')::int
        as this_year,
    count(*) filter (where admission_date < :'as_of'::date - interval '12 months')::int
        as year_before
from sid.hospital_spell s
join peer.known p using (person_id)
where s.admission_method like '2%' and not p.hides_hospital
    and s.admission_date >= :'as_of'::date - interval '24 months'
    and s.admission_date < :'as_of' and s.admission_date >= p.birth_date
group by person_id;

create unlogged table peer.emergency as
select person_id, count(*)::int as attendances
from sid.ae_attendance a
join peer.known p using (person_id)
where a.arrival_date >= :'as_of'::date - interval '12 months'
    and a.arrival_date < :'as_of' and a.arrival_date >= p.birth_date
    and not p.hides_hospital
group by person_id;
analyze peer.gp, peer.medicine, peer.hospital, peer.charlson, peer.admission, peer.emergency;

-- ---- scores -----------------------------------------------------------------------

create unlogged table peer.scored as
select f.*,
    case when age >= 65 then deficits / 36.0::float8 end as efi,
    tenths / 10.0::float8 as hfrs,
    points::float8 as charlson,
    case when age >= 18 then 100 * (1 / (1 + exp(-(
        -3.36605::float8
        + 0.0091::float8 * greatest(age - 40, 0)
        + 0.0337::float8 * (11 - imd_decile - 5.5::float8)
        + 0.1699::float8 * deficits
        + 0.6710::float8 * least(this_year, 6)
        + 0.2666::float8 * least(year_before, 6)
        + 0.1237::float8 * least(attendances, 10)
        + 0.0210::float8 * least(medicines, 20))))) end as admission
from (
    select p.person_id, p.age, p.care_home, p.imd_decile, p.practice_code, p.pcn_code,
        p.locality, p.place, p.practice_no, p.pcn_no, p.locality_no, p.place_no,
        coalesce(g.deficits, 0) + (coalesce(m.medicines, 0) >= 5)::int as deficits,
        coalesce(m.medicines, 0) as medicines, coalesce(h.tenths, 0) as tenths,
        coalesce(c.points, 0) as points, coalesce(a.this_year, 0) as this_year,
        coalesce(a.year_before, 0) as year_before,
        coalesce(e.attendances, 0) as attendances
    from peer.known p
    left join peer.gp g using (person_id)
    left join peer.medicine m using (person_id)
    left join peer.hospital h using (person_id)
    left join peer.charlson c on c.mask = h.mask
    left join peer.admission a using (person_id)
    left join peer.emergency e using (person_id)) f;
analyze peer.scored;

-- ---- the table of people -------------------------------------------------------------

-- Within a group people are in the order that they have among everyone: one sort by score
-- for each model, and four by whole numbers.
select format('create table peer.person_r%s (like peer.person, check (run_id = %1$s))', :run),
    format('create table peer.cohort_member_r%s (like peer.cohort_member, '
           'check (run_id = %1$s))', :run)
\gexec
insert into peer.person_r:run
select :run, s.person_id, s.practice_code, s.age,
    case when care_home then 0 when efi > 0.24 then 1 when charlson >= 3 then 2 else 3 end,
    array[efi, hfrs, charlson, admission],
    array[(efi is null)::int, 0, 0, (admission is null)::int],
    array[case when efi <= 0.12 then 0 when efi <= 0.24 then 1 when efi <= 0.36 then 2
               when efi is not null then 3 end,
          case when hfrs < 5 then 0 when hfrs <= 15 then 1 else 2 end,
          case when charlson <= 0 then 0 when charlson <= 2 then 1 when charlson <= 4 then 2
               else 3 end,
          case when a.all_r <= (n * 5 + 999) / 1000 then 3
               when a.all_r <= (n * 5 + 99) / 100 then 2
               when a.all_r <= (n * 2 + 9) / 10 then 1 when a.all_r is not null then 0 end],
    array[e.all_r, e.practice_r, case when pcn_code is not null then e.pcn_r end,
          case when locality is not null then e.locality_r end,
          case when place is not null then e.place_r end,
          h.all_r, h.practice_r, case when pcn_code is not null then h.pcn_r end,
          case when locality is not null then h.locality_r end,
          case when place is not null then h.place_r end,
          c.all_r, c.practice_r, case when pcn_code is not null then c.pcn_r end,
          case when locality is not null then c.locality_r end,
          case when place is not null then c.place_r end,
          a.all_r, a.practice_r, case when pcn_code is not null then a.pcn_r end,
          case when locality is not null then a.locality_r end,
          case when place is not null then a.place_r end]
from peer.scored s
cross join (select count(admission) as n from peer.scored) n
left join (
    select person_id, all_r,
        row_number() over (partition by practice_no order by all_r),
        row_number() over (partition by pcn_no order by all_r),
        row_number() over (partition by locality_no order by all_r),
        row_number() over (partition by place_no order by all_r)
    from (select person_id, practice_no, pcn_no, locality_no, place_no,
              row_number() over (order by efi desc, person_id) as all_r
          from peer.scored where efi is not null) r)
    as e (person_id, all_r, practice_r, pcn_r, locality_r, place_r) using (person_id)
left join (
    select person_id, all_r,
        row_number() over (partition by practice_no order by all_r),
        row_number() over (partition by pcn_no order by all_r),
        row_number() over (partition by locality_no order by all_r),
        row_number() over (partition by place_no order by all_r)
    from (select person_id, practice_no, pcn_no, locality_no, place_no,
              row_number() over (order by hfrs desc, person_id) as all_r
          from peer.scored where hfrs is not null) r)
    as h (person_id, all_r, practice_r, pcn_r, locality_r, place_r) using (person_id)
left join (
    select person_id, all_r,
        row_number() over (partition by practice_no order by all_r),
        row_number() over (partition by pcn_no order by all_r),
        row_number() over (partition by locality_no order by all_r),
        row_number() over (partition by place_no order by all_r)
    from (select person_id, practice_no, pcn_no, locality_no, place_no,
              row_number() over (order by charlson desc, person_id) as all_r
          from peer.scored where charlson is not null) r)
    as c (person_id, all_r, practice_r, pcn_r, locality_r, place_r) using (person_id)
left join (
    select person_id, all_r,
        row_number() over (partition by practice_no order by all_r),
        row_number() over (partition by pcn_no order by all_r),
        row_number() over (partition by locality_no order by all_r),
        row_number() over (partition by place_no order by all_r)
    from (select person_id, practice_no, pcn_no, locality_no, place_no,
              row_number() over (order by admission desc, person_id) as all_r
          from peer.scored where admission is not null) r)
    as a (person_id, all_r, practice_r, pcn_r, locality_r, place_r) using (person_id);
alter table peer.person_r:run add primary key (run_id, person_id);
analyze peer.person_r:run (run_id, person_id, practice_code, age, segment_no);

-- ---- lists ------------------------------------------------------------------------

create unlogged table peer.candidate as
select 'anticipatory_care' as cohort, pcn_code as group_code, person_id, row_number() over (
           partition by pcn_code order by admission desc nulls last, efi desc, person_id) as place,
    50 as capacity, 60 as keep
from peer.scored
where efi > 0.24 and not care_home and pcn_code is not null
union all
select 'severe_frailty', practice_code, person_id, row_number() over (
           partition by practice_code order by efi desc, admission desc nulls last, person_id),
    null, 0
from peer.scored
where efi > 0.36
union all
select 'urgent_care', locality, person_id, row_number() over (
           partition by locality order by admission desc nulls last, hfrs desc, person_id),
    (registered + 99) / 100, 0
from peer.scored
join (select locality, count(*)::int as registered from peer.scored group by locality) l
    using (locality)
where attendances >= 5 or this_year >= 3;

create unlogged table peer.previous as
select cohort, group_code, person_id
from stratify.cohort_member join stratify.current_run using (run_id)
where movement <> 'left';
analyze peer.candidate, peer.previous;

-- Continuing members ranked within `keep` come first, then the best of the rest.
create unlogged table peer.chosen as
select cohort, group_code, person_id, is_continuing,
    row_number() over (partition by cohort, group_code order by place) as rank
from (
    select *, row_number() over (
        partition by cohort, group_code
        order by not (is_continuing and place <= keep), place) as turn
    from (select c.*, p.person_id is not null as is_continuing
          from peer.candidate c
          left join peer.previous p using (cohort, group_code, person_id)) c) t
where capacity is null or turn <= capacity;

insert into peer.cohort_member_r:run
select :run, m.cohort, m.group_code, m.rank, m.person_id, m.movement, m.left_reason,
    p.practice_code, p.age, p.segment_no,
    case when p.person_id is null then null
         when m.cohort = 'anticipatory_care'
         then jsonb_build_object('admission_12m', a.shown, 'efi', e.shown, 'hfrs', h.shown)
         when m.cohort = 'severe_frailty'
         then jsonb_build_object('efi', e.shown, 'admission_12m', a.shown)
         else jsonb_build_object('admission_12m', a.shown, 'hfrs', h.shown,
                                 'charlson', c.shown) end,
    '{}', null
from (
    select cohort, group_code, rank, person_id,
        case when is_continuing then 'continuing' else 'new' end as movement,
        null as left_reason, person_id as here
    from peer.chosen
    union all
    -- Between two nights of the benchmark nobody dies or opts out.
    select v.cohort, v.group_code, 0, v.person_id, 'left',
        case when s.person_id is null then 'registered elsewhere'
             when c.person_id is null then 'no longer meets the rule'
             else 'outranked' end, s.person_id
    from peer.previous v
    left join peer.candidate c using (cohort, group_code, person_id)
    left join lateral (
        select s.person_id from peer.scored s
        where s.person_id = v.person_id and v.group_code = case v.cohort
            when 'anticipatory_care' then pcn_code
            when 'severe_frailty' then practice_code else locality end) s on true
    where not exists (select from peer.chosen n where n.cohort = v.cohort
                      and n.group_code = v.group_code and n.person_id = v.person_id)) m
left join peer.person_r:run p on p.person_id = m.here
cross join lateral (select jsonb_build_object('score', p.score[1]) || case
    when p.band[1] is null then '{}' else jsonb_build_object('band',
        (array['fit', 'mild', 'moderate', 'severe'])[p.band[1] + 1]) end as shown) e
cross join lateral (select jsonb_build_object('score', p.score[2], 'band',
    (array['low', 'intermediate', 'high'])[p.band[2] + 1]) as shown) h
cross join lateral (select jsonb_build_object('score', p.score[3], 'band',
    (array['none', 'low', 'moderate', 'high'])[p.band[3] + 1]) as shown) c
cross join lateral (select jsonb_build_object('score', p.score[4]) || case
    when p.band[4] is null then '{}' else jsonb_build_object('band',
        (array['low', 'moderate', 'high', 'very_high'])[p.band[4] + 1]) end as shown) a;
alter table peer.cohort_member_r:run
    add primary key (run_id, cohort, group_code, person_id);
analyze peer.cohort_member_r:run (run_id, cohort, group_code, rank, person_id, movement);

-- ---- all of it or nothing -----------------------------------------------------------

alter table peer.person attach partition peer.person_r:run for values in (:run);
alter table peer.cohort_member attach partition peer.cohort_member_r:run for values in (:run);
drop table peer.known, peer.gp, peer.issued, peer.drug, peer.medicine, peer.dx_code,
    peer.coded, peer.hospital, peer.charlson, peer.admission, peer.emergency, peer.scored,
    peer.candidate, peer.previous, peer.chosen;
commit;
