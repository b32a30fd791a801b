-- Inouye's five factors, with made-up marriages and visits: see tests/run/library.sh. Needs
-- population.sql. Makes oracle_score.

create temp table year_ill as
select distinct d.person_id, k.condition
from sid.diagnosis d
join in_run p using (person_id)
join charlson_code k
    on regexp_replace(upper(d.icd10_code), '[^A-Z0-9]', '', 'g') like k.prefix || '%'
where not p.hides_hospital and d.diagnosis_date >= :'as_of'::date - interval '12 months'
    and d.diagnosis_date < :'as_of'
    and d.diagnosis_date between p.birth_date and coalesce(p.death_date, 'infinity');

create temp table oracle_score as
select person_id, 'inouye_comorbidity' as model, coalesce(sum(w.charlson1987), 0)::float8 as score
from in_run
left join (select * from year_ill c where not exists (
    select from (values ('diab', 'diabwc'), ('canc', 'metacanc'), ('mld', 'msld'))
        as h (mild, serious)
    join year_ill s on s.person_id = c.person_id and s.condition = h.serious
    where h.mild = c.condition)) c using (person_id)
left join charlson_weight w using (condition)
group by person_id;

insert into oracle_score
select person_id, 'inouye_2008', (o.score >= 2)::int + (age >= 85)::int
    + (person_id in (select person_id from sid.hospital_spell
        where admission_date >= :'as_of'::date - interval '12 months'
            and admission_date < :'as_of' and not hides_hospital))::int
    + (person_id % 13 >= 6)::int + (person_id % 3 <> 0)::int
from oracle_score o join in_run using (person_id)
where o.model = 'inouye_comorbidity' and age >= 70 and person_id % 7 <> 0;
