-- eFI, Hospital Frailty Risk Score and Charlson of everybody in the run, set by set: another
-- way to the same numbers than the engine's. Makes oracle_score(person_id, model, score);
-- the files after this one add to it.

-- Diagnoses of the last five years in their normal form, with dates that may be true.
create temp table coded as
select distinct d.person_id, d.diagnosis_date as day,
    regexp_replace(upper(d.icd10_code), '[^A-Z0-9]', '', 'g') as code
from sid.diagnosis d
join in_run p using (person_id)
where not p.hides_hospital
    and d.diagnosis_date >= :'as_of'::date - interval '5 years'
    and d.diagnosis_date < :'as_of'
    and d.diagnosis_date >= p.birth_date
    and d.diagnosis_date <= coalesce(p.death_date, 'infinity')
    and d.diagnosis_date not in (select day from sentinel);
analyze coded;

-- A recorded day that nobody knows still happened: it counts for "ever".
create temp table deficit as
select distinct e.person_id, r.deficit
from sid.gp_event e
join efi_rule r on r.code = e.snomed_code
join in_run p using (person_id)
where (r.gt is null or e.numeric_value > r.gt and e.numeric_value <> 'NaN')
    and (r.lt is null or e.numeric_value < r.lt)
    and (r.sex is null or r.sex = p.sex)
    and (e.event_date is null or e.event_date in (select day from sentinel)
        or e.event_date < :'as_of'
            and e.event_date between p.birth_date and coalesce(p.death_date, 'infinity'));

create temp table many_medicines as
select s.person_id
from (select person_id, issue_date,
          regexp_replace(upper(bnf_code), '[^A-Z0-9]', '', 'g') as code
      from sid.prescription) s
join in_run p using (person_id)
join bnf_chapter on chapter = left(s.code, 2)
where s.issue_date >= :'as_of'::date - interval '12 months'
    and s.issue_date < :'as_of'
    and s.issue_date >= p.birth_date
    and s.issue_date <= coalesce(p.death_date, 'infinity')
    and s.issue_date not in (select day from sentinel)
group by s.person_id
having count(distinct left(s.code, 9)) >= 5;

create temp table condition as
select distinct c.person_id, k.condition
from coded c
join (select distinct d.code, k.condition
      from (select distinct code from coded) d
      join charlson_code k on d.code like k.prefix || '%') k using (code);
create index on condition (person_id, condition);

-- The serious form of a condition takes the place of the mild one.
create temp table standing as
select * from condition c
where not exists (
    select from (values ('diab', 'diabwc'), ('canc', 'metacanc'), ('mld', 'msld'))
        as h (mild, serious)
    join condition s on s.person_id = c.person_id and s.condition = h.serious
    where h.mild = c.condition);

create temp table oracle_score as
select person_id, 'efi' as model, count(d.deficit) / 36.0::float8 as score
from in_run
left join (select * from deficit
           union select person_id, 'polypharmacy' from many_medicines) d using (person_id)
where age >= 65
group by person_id
union all
select person_id, 'hfrs', coalesce(sum(weight), 0)::float8
from in_run
left join (
    select distinct c.person_id, h.code, h.weight
    from coded c join hfrs_code h on left(c.code, 3) = h.code
    where c.day >= :'as_of'::date - interval '2 years') w using (person_id)
group by person_id
union all
select person_id, m.model,
    coalesce(sum(case m.model when 'charlson' then charlson1987 else quan2011 end), 0)
from in_run
cross join (values ('charlson'), ('charlson_2011')) as m (model)
left join (standing join charlson_weight using (condition)) using (person_id)
group by person_id, m.model;
analyze oracle_score;
