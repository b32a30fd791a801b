-- Who is in a run as of :as_of, after the rules of docs/semantics.md section 2.

\ir sentinel.sql

create temp table opted_out as
select person_id, bool_or(opt_out_type in ('type-1', 'local')) as from_run,
    bool_or(opt_out_type = 'national') as from_hospital
from sid.opt_out
group by person_id;

-- A registration whose end is the as-of day is over at the start of that day. Overlapping
-- ones: the latest start, then the longest, then the lowest code.
create temp table registered as
select person_id, practice_code from (
    select person_id, practice_code, row_number() over (
        partition by person_id
        order by starts desc, ends desc, practice_code collate "C") as place
    from sid.registration
    left join sentinel a on a.day = start_date
    left join sentinel z on z.day = end_date
    cross join lateral (
        select case when a.day is null then coalesce(start_date, '-infinity')
                    else '-infinity' end as starts,
            case when z.day is null then coalesce(end_date, 'infinity')
                 else 'infinity' end as ends) as known
    where starts <= :'as_of' and ends > :'as_of') as r
where place = 1;

create temp table in_run as
select p.person_id, p.birth_date, p.death_date, p.sex::text as sex,
    p.ethnic_category, p.imd_decile,
    extract(year from age(:'as_of'::date, p.birth_date))::int as age,
    coalesce(o.from_hospital, false) as hides_hospital
from sid.person p
join registered r using (person_id)
join sid.practice using (practice_code)
left join opted_out o using (person_id)
where p.birth_date <= :'as_of'
    and coalesce(p.death_date, 'infinity') >= :'as_of'
    and not coalesce(p.is_test_patient, false)
    and not coalesce(o.from_run, false);
create unique index on in_run (person_id);
analyze in_run;
