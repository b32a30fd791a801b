-- The job of peer.sql in DuckDB, on tables that duck_load.sql has loaded. Writes the
-- tables of people to :dir as CSV; pairs.sh puts them into the server.
create temp table known as
with opted as (
    select person_id, bool_or(opt_out_type in ('type-1', 'local')) as is_out,
        bool_or(opt_out_type = 'national') as hides_hospital
    from opt_out
    group by person_id
), area as (
    select *, dense_rank() over (order by practice_code) as practice_no,
        dense_rank() over (order by pcn_code) as pcn_no,
        dense_rank() over (order by locality) as locality_no,
        dense_rank() over (order by place) as place_no
    from practice
), registered as (
    select person_id, practice_code
    from registration
    left join sentinel a on a.day = start_date
    left join sentinel z on z.day = end_date
    where (start_date is null or a.day is not null or start_date <= ':as_of')
        and (end_date is null or z.day is not null or end_date > ':as_of')
        and not coalesce(end_date < start_date and a.day is null and z.day is null, false)
    qualify row_number() over (partition by person_id order by
        case when a.day is null then coalesce(start_date, '-infinity'::date)
             else '-infinity'::date end desc,
        case when z.day is null then coalesce(end_date, 'infinity'::date)
             else 'infinity'::date end desc, practice_code) = 1
)
select p.person_id, p.birth_date, p.sex, coalesce(o.hides_hospital, false) as hides_hospital,
    ((year(date ':as_of') * 10000 + month(date ':as_of') * 100 + day(date ':as_of'))
     - (year(birth_date) * 10000 + month(birth_date) * 100 + day(birth_date))) // 10000 as age,
    coalesce(p.is_care_home, false) as care_home, coalesce(p.imd_decile, 6) as imd_decile,
    r.practice_code, c.pcn_code, c.locality, c.place, c.practice_no, c.pcn_no, c.locality_no,
    c.place_no
from person p
join registered r using (person_id)
join area c using (practice_code)
left join opted o using (person_id)
where p.birth_date <= ':as_of'
    and (p.death_date is null or p.death_date >= ':as_of')
    and not coalesce(p.is_test_patient, false)
    and not coalesce(o.is_out, false);

create temp table gp as
select person_id, bit_count(bit_or(mask)) as deficits
from gp_event e
join efi_code c on c.code = e.snomed_code
join known p using (person_id)
where (e.event_date < ':as_of' and e.event_date >= p.birth_date or e.event_date is null
       or e.event_date in ('1582-10-15', '1600-01-01', '1800-01-01', '1801-01-01',
                           '1900-01-01', '9999-12-31'))
    and (not c.has_rule or (c.gt is null or e.numeric_value > c.gt
                            and not isnan(e.numeric_value))
         and (c.lt is null or e.numeric_value < c.lt)
         and (c.sex is null or c.sex = p.sex))
group by person_id;

create temp table issued as
select distinct person_id, bnf_code
from prescription s
join known p using (person_id)
where s.issue_date >= date ':as_of' - interval 12 months
    and s.issue_date < ':as_of' and s.issue_date >= p.birth_date;

create temp table medicine as
select person_id, count(*) as medicines
from (
    select distinct person_id, substance
    from issued
    join (select bnf_code, dense_rank() over (order by left(code, 9)) as substance
          from (select bnf_code, regexp_replace(upper(bnf_code), '[^A-Z0-9]', '', 'g') as code
                from (select distinct bnf_code from issued))
          where left(code, 2) in (select chapter from chapter)) using (bnf_code))
group by person_id;

create temp table dx_code as
select d.icd10_code, h.number, h.tenths, coalesce(bit_or(k.mask), 0) as mask
from (select icd10_code, regexp_replace(upper(icd10_code), '[^A-Z0-9]', '', 'g') as code
      from (select distinct icd10_code from diagnosis)) d
left join hfrs_code h on h.code = left(d.code, 3)
left join charlson_code k on starts_with(d.code, k.prefix)
group by all;
delete from dx_code where number is null and mask = 0;

create temp table hospital as
select person_id, coalesce(sum(tenths) filter (where is_recent), 0)::int as tenths,
    bit_or(mask) as mask
from (
    select person_id, number, tenths, bit_or(mask) as mask,
        bool_or(d.diagnosis_date >= date ':as_of' - interval 2 years) as is_recent
    from diagnosis d
    join dx_code using (icd10_code)
    join known p using (person_id)
    where d.diagnosis_date >= date ':as_of' - interval 5 years
        and d.diagnosis_date < ':as_of' and d.diagnosis_date >= p.birth_date
        and not p.hides_hospital
    group by person_id, number, tenths)
group by person_id;

create temp table charlson as
select s.mask, coalesce(sum(b.weight), 0)::int as points
from (select distinct mask from hospital) s
left join charlson_bit b on s.mask & b.mask <> 0 and s.mask & b.serious_mask = 0
group by s.mask;

create temp table scored as
with admission as (
    select person_id,
        count(*) filter (where admission_date >= date ':as_of' - interval 12 months)
            as this_year,
        count(*) filter (where admission_date < date ':as_of' - interval 12 months)
            as year_before
    from hospital_spell s
    join known p using (person_id)
    where s.admission_method like '2%' and not p.hides_hospital
        and s.admission_date >= date ':as_of' - interval 24 months
        and s.admission_date < ':as_of' and s.admission_date >= p.birth_date
    group by person_id
), emergency as (
    select person_id, count(*) as attendances
    from ae_attendance a
    join known p using (person_id)
    where a.arrival_date >= date ':as_of' - interval 12 months
        and a.arrival_date < ':as_of' and a.arrival_date >= p.birth_date
        and not p.hides_hospital
    group by person_id
), f as (
    select p.person_id, p.age, p.care_home, p.imd_decile, p.practice_code, p.pcn_code,
        p.locality, p.place, p.practice_no, p.pcn_no, p.locality_no, p.place_no,
        coalesce(g.deficits, 0) + (coalesce(m.medicines, 0) >= 5)::int as deficits,
        coalesce(m.medicines, 0) as medicines, coalesce(h.tenths, 0) as tenths,
        coalesce(c.points, 0) as points, coalesce(a.this_year, 0) as this_year,
        coalesce(a.year_before, 0) as year_before,
        coalesce(e.attendances, 0) as attendances
    from known p
    left join gp g using (person_id)
    left join medicine m using (person_id)
    left join hospital h using (person_id)
    left join charlson c on c.mask = h.mask
    left join admission a using (person_id)
    left join emergency e using (person_id)
)
select f.*,
    case when age >= 65 then deficits / 36.0::double end as efi,
    tenths / 10.0::double as hfrs,
    points::double as charlson,
    case when age >= 18 then 100 * (1 / (1 + exp(-(
        -3.36605::double
        + 0.0091::double * greatest(age - 40, 0)
        + 0.0337::double * (11 - imd_decile - 5.5::double)
        + 0.1699::double * deficits
        + 0.6710::double * least(this_year, 6)
        + 0.2666::double * least(year_before, 6)
        + 0.1237::double * least(attendances, 10)
        + 0.0210::double * least(medicines, 20))))) end as admission
from f;

create temp table ranked as
select s.*,
    case when care_home then 0 when efi > 0.24 then 1 when charlson >= 3 then 2 else 3 end
        as segment_no,
    case when efi <= 0.12 then 0 when efi <= 0.24 then 1 when efi <= 0.36 then 2
         when efi is not null then 3 end as efi_band,
    case when hfrs < 5 then 0 when hfrs <= 15 then 1 else 2 end as hfrs_band,
    case when charlson <= 0 then 0 when charlson <= 2 then 1 when charlson <= 4 then 2
         else 3 end as charlson_band,
    case when a.all_r <= (n * 5 + 999) // 1000 then 3 when a.all_r <= (n * 5 + 99) // 100 then 2
         when a.all_r <= (n * 2 + 9) // 10 then 1 when a.all_r is not null then 0 end
        as admission_band,
    '{' || concat_ws(',', coalesce(e.all_r::varchar, 'NULL'), coalesce(e.practice_r::varchar, 'NULL'),
        if(pcn_code is null, 'NULL', coalesce(e.pcn_r::varchar, 'NULL')),
        if(locality is null, 'NULL', coalesce(e.locality_r::varchar, 'NULL')),
        if(place is null, 'NULL', coalesce(e.place_r::varchar, 'NULL')),
        coalesce(h.all_r::varchar, 'NULL'), coalesce(h.practice_r::varchar, 'NULL'),
        if(pcn_code is null, 'NULL', coalesce(h.pcn_r::varchar, 'NULL')),
        if(locality is null, 'NULL', coalesce(h.locality_r::varchar, 'NULL')),
        if(place is null, 'NULL', coalesce(h.place_r::varchar, 'NULL')),
        coalesce(c.all_r::varchar, 'NULL'), coalesce(c.practice_r::varchar, 'NULL'),
        if(pcn_code is null, 'NULL', coalesce(c.pcn_r::varchar, 'NULL')),
        if(locality is null, 'NULL', coalesce(c.locality_r::varchar, 'NULL')),
        if(place is null, 'NULL', coalesce(c.place_r::varchar, 'NULL')),
        coalesce(a.all_r::varchar, 'NULL'), coalesce(a.practice_r::varchar, 'NULL'),
        if(pcn_code is null, 'NULL', coalesce(a.pcn_r::varchar, 'NULL')),
        if(locality is null, 'NULL', coalesce(a.locality_r::varchar, 'NULL')),
        if(place is null, 'NULL', coalesce(a.place_r::varchar, 'NULL'))) || '}' as ranks
from scored s
cross join (select count(admission) as n from scored) n
left join (
    select person_id, all_r, row_number() over (partition by practice_no order by all_r) as practice_r,
        row_number() over (partition by pcn_no order by all_r) as pcn_r,
        row_number() over (partition by locality_no order by all_r) as locality_r,
        row_number() over (partition by place_no order by all_r) as place_r
    from (select person_id, practice_no, pcn_no, locality_no, place_no,
              row_number() over (order by efi desc, person_id) as all_r
          from scored where efi is not null)) e using (person_id)
left join (
    select person_id, all_r, row_number() over (partition by practice_no order by all_r) as practice_r,
        row_number() over (partition by pcn_no order by all_r) as pcn_r,
        row_number() over (partition by locality_no order by all_r) as locality_r,
        row_number() over (partition by place_no order by all_r) as place_r
    from (select person_id, practice_no, pcn_no, locality_no, place_no,
              row_number() over (order by hfrs desc, person_id) as all_r
          from scored where hfrs is not null)) h using (person_id)
left join (
    select person_id, all_r, row_number() over (partition by practice_no order by all_r) as practice_r,
        row_number() over (partition by pcn_no order by all_r) as pcn_r,
        row_number() over (partition by locality_no order by all_r) as locality_r,
        row_number() over (partition by place_no order by all_r) as place_r
    from (select person_id, practice_no, pcn_no, locality_no, place_no,
              row_number() over (order by charlson desc, person_id) as all_r
          from scored where charlson is not null)) c using (person_id)
left join (
    select person_id, all_r, row_number() over (partition by practice_no order by all_r) as practice_r,
        row_number() over (partition by pcn_no order by all_r) as pcn_r,
        row_number() over (partition by locality_no order by all_r) as locality_r,
        row_number() over (partition by place_no order by all_r) as place_r
    from (select person_id, practice_no, pcn_no, locality_no, place_no,
              row_number() over (order by admission desc, person_id) as all_r
          from scored where admission is not null)) a using (person_id);

copy (
    select :run as run_id, person_id, practice_code, age, segment_no,
        '{' || concat_ws(',', coalesce(efi::varchar, 'NULL'), hfrs, charlson,
                         coalesce(admission::varchar, 'NULL')) || '}' as score,
        '{' || concat_ws(',', (efi is null)::int, 0, 0, (admission is null)::int) || '}'
            as outcome,
        '{' || concat_ws(',', coalesce(efi_band::varchar, 'NULL'), hfrs_band, charlson_band,
                         coalesce(admission_band::varchar, 'NULL')) || '}' as band,
        ranks, null as flag
    from ranked order by person_id
) to ':dir/person.csv' (header);

create temp table previous as
select * from read_csv(':dir/previous.csv', header = true, types = {'cohort': 'VARCHAR',
    'group_code': 'VARCHAR', 'person_id': 'BIGINT'});

create temp table candidate as
select 'anticipatory_care' as cohort, pcn_code as group_code, person_id, row_number() over (
           partition by pcn_code order by admission desc nulls last, efi desc, person_id) as turn,
    50 as capacity, 60 as keep
from scored
where efi > 0.24 and not care_home and pcn_code is not null
union all
select 'severe_frailty', practice_code, person_id, row_number() over (
           partition by practice_code order by efi desc, admission desc nulls last, person_id),
    null, 0
from scored
where efi > 0.36
union all
select 'urgent_care', locality, person_id, row_number() over (
           partition by locality order by admission desc nulls last, hfrs desc, person_id),
    (registered + 99) // 100, 0
from scored
join (select locality, count(*) as registered from scored group by locality) l
    using (locality)
where attendances >= 5 or this_year >= 3;

create temp table chosen as
select cohort, group_code, person_id, is_continuing,
    row_number() over (partition by cohort, group_code order by turn) as rank
from (
    select *, row_number() over (
        partition by cohort, group_code
        order by not (is_continuing and turn <= keep), turn) as pick
    from (select c.*, p.person_id is not null as is_continuing
          from candidate c
          left join previous p using (cohort, group_code, person_id)))
where capacity is null or pick <= capacity;

copy (
    select :run as run_id, m.cohort, m.group_code, m.rank, m.person_id, m.movement,
        m.left_reason, p.practice_code, p.age, p.segment_no,
        case when p.person_id is null then null
             when m.cohort = 'anticipatory_care'
             then '{' || concat_ws(', ', a_json, e_json, h_json) || '}'
             when m.cohort = 'severe_frailty' then '{' || concat_ws(', ', e_json, a_json) || '}'
             else '{' || concat_ws(', ', a_json, h_json, c_json) || '}' end as scores,
        '{}' as reasons, null as explanation
    from (
        select cohort, group_code, rank, person_id,
            if(is_continuing, 'continuing', 'new') as movement, null as left_reason,
            person_id as here
        from chosen
        union all
        select v.cohort, v.group_code, 0, v.person_id, 'left',
            case when s.person_id is null then 'registered elsewhere'
                 when c.person_id is null then 'no longer meets the rule' else 'outranked' end,
            s.person_id
        from previous v
        left join candidate c using (cohort, group_code, person_id)
        left join scored s on s.person_id = v.person_id and v.group_code = case v.cohort
            when 'anticipatory_care' then pcn_code when 'severe_frailty' then practice_code
            else locality end
        where (v.cohort, v.group_code, v.person_id) not in
            (select (cohort, group_code, person_id) from chosen)) m
    left join (
        select *,
            '"efi": {"score": ' || coalesce(efi::varchar, 'null') || coalesce(', "band": "'
                || ['fit', 'mild', 'moderate', 'severe'][efi_band + 1] || '"', '') || '}'
                as e_json,
            '"hfrs": {"score": ' || hfrs || ', "band": "'
                || ['low', 'intermediate', 'high'][hfrs_band + 1] || '"}' as h_json,
            '"charlson": {"score": ' || charlson || ', "band": "'
                || ['none', 'low', 'moderate', 'high'][charlson_band + 1] || '"}' as c_json,
            '"admission_12m": {"score": ' || coalesce(admission::varchar, 'null') || coalesce(
                ', "band": "' || ['low', 'moderate', 'high', 'very_high'][admission_band + 1]
                || '"', '') || '}' as a_json
        from ranked) p on p.person_id = m.here
) to ':dir/cohort_member.csv' (header);
