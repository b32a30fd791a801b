-- LACE, HOSPITAL and PARR-30 of admissions that ended in the last 30 days. Each takes the
-- place of a person in its run. The inputs that the example dataset has not are the numbers
-- that tests/run/library.sh writes into a copy of the config. Makes oracle_score and in_run.

create temp table last_discharge as select max(discharge_date) as day from sid.hospital_spell;

create temp table admission as
select s.spell_id, s.person_id, s.admission_date, s.discharge_date, p.birth_date,
    s.provider_code as provider, s.main_specialty in ('370', '800') as oncology,
    s.admission_method like '2%' as emergency, s.discharge_date - s.admission_date as stay,
    extract(year from age(s.discharge_date, p.birth_date))::int as age,
    s.spell_id % 600 / 10.0 as imd, 8 + s.spell_id % 80 / 10.0 as haemoglobin,
    125 + s.spell_id % 25 as sodium
from sid.hospital_spell s
join sid.person p using (person_id)
cross join last_discharge l
where s.discharge_date > l.day - 30
    and p.birth_date <= :'as_of' and coalesce(p.death_date, 'infinity') >= :'as_of'
    and not coalesce(p.is_test_patient, false)
    and s.person_id not in (select person_id from sid.opt_out)
    and exists (select from sid.registration r join sid.practice using (practice_code)
        where r.person_id = s.person_id and r.start_date <= s.discharge_date);
create temp table in_run as select spell_id as person_id from admission;

create temp table earlier as
select a.spell_id,
    count(*) as admissions,
    count(*) filter (where x.admission_method like '2%'
        and x.main_specialty not in ('500', '501', '502', '560')) as emergencies,
    count(*) filter (where x.admission_method like '2%'
        and x.main_specialty not in ('500', '501', '502', '560')
        and x.admission_date >= a.admission_date - 30) as emergencies_30
from admission a
join sid.hospital_spell x on x.person_id = a.person_id
    and x.admission_date >= a.admission_date - interval '12 months'
    and x.admission_date < a.admission_date
group by 1;

create temp table visits as
select a.spell_id, count(*) as n
from admission a
join sid.ae_attendance x on x.person_id = a.person_id and x.arrival_date < a.admission_date
    and x.arrival_date >= a.admission_date - interval '6 months'
group by 1;

create temp table ill as
select distinct a.spell_id, k.condition
from admission a
join sid.diagnosis d on d.person_id = a.person_id and d.spell_id <> a.spell_id
    and d.diagnosis_date >= a.admission_date - interval '2 years'
    and d.diagnosis_date < a.admission_date and d.diagnosis_date >= a.birth_date
    and d.diagnosis_date not in (select day from sentinel)
join charlson_code k
    on regexp_replace(upper(d.icd10_code), '[^A-Z0-9]', '', 'g') like k.prefix || '%';

-- The comorbidity of the English LACE, the serious form in the place of the mild one; two
-- pairs of conditions are one each.
create temp table lace_ill as
select spell_id, sum(points) as points
from (select distinct spell_id, grouping, points
      from ill join (values ('diab', 'diab', 1), ('cevd', 'cevd', 1), ('mi', 'mi', 1),
          ('pvd', 'pvd', 1), ('pud', 'pud', 1), ('diabwc', 'diabwc', 2), ('chf', 'chf', 2),
          ('cpd', 'cpd', 2), ('canc', 'canc', 2), ('rend', 'rend', 2), ('mld', 'mld', 2),
          ('dementia', 'dementia or rheumatic', 3), ('rheumd', 'dementia or rheumatic', 3),
          ('msld', 'severe liver or hiv', 4), ('aids', 'severe liver or hiv', 4),
          ('metacanc', 'metacanc', 6)) as w (condition, grouping, points) using (condition)
      where not exists (
          select from (values ('diab', 'diabwc'), ('canc', 'metacanc'), ('mld', 'msld'))
              as h (mild, serious)
          join ill s on s.spell_id = ill.spell_id and s.condition = h.serious
          where h.mild = ill.condition)) c
group by 1;

create temp table scored as
select a.*, coalesce(e.admissions, 0) as admissions, coalesce(e.emergencies, 0) as emergencies,
    coalesce(e.emergencies_30, 0) as emergencies_30, coalesce(v.n, 0) as visits,
    coalesce(l.points, 0) as comorbidity,
    case when stay >= 14 then 7 when stay >= 7 then 5 when stay >= 4 then 4 else greatest(stay, 0)
        end as length_points
from admission a
left join earlier e using (spell_id)
left join visits v using (spell_id)
left join lace_ill l using (spell_id);

create temp table trust (code text, name text, coefficient double precision);
\copy trust from 'configs/codelists/parr30_trusts.csv' with (format csv, header)

create temp table oracle_score as
select spell_id as person_id, 'lace_comorbidity' as model, comorbidity::float8 as score
from scored
union all
select spell_id, 'lace', length_points + 3 * emergency::int
    + case when comorbidity >= 4 then 5 else comorbidity end + least(visits, 4)
from scored where age >= 18
union all
select spell_id, 'lace_modified', least(length_points, 6) + 3 * emergency::int
    + least(comorbidity, 6) + least(visits, 4)
from scored where age >= 18
union all
select spell_id, 'hospital_score', (haemoglobin < 12)::int + 2 * oncology::int
    + (sodium < 135)::int + emergency::int
    + case when admissions > 5 then 5 when admissions > 0 then 2 else 0 end
    + 2 * (stay >= 5)::int
from scored where age >= 18
union all
select spell_id, 'parr30', 100 / (1 + exp(-(-2.9182::float8 + 0.000060581 * age ^ 2
    + 0.1215 * emergencies + 0.5258 * (emergencies_30 > 0)::int + 0.5565 * emergency::int
    + case when imd < 10 then 0 when imd < 15 then 0.0209 when imd < 25 then 0.0239
        when imd < 40 then 0.0661 when imd < 50 then 0.1017 else 0.0982 end
    + coalesce((select sum(weight) from ill join (values ('chf', 0.0950), ('pvd', 0.1043),
        ('cpd', 0.2243), ('diabwc', 0.1457), ('rend', 0.1977), ('metacanc', 0.2762),
        ('canc', 0.5069), ('msld', 0.2673), ('mld', 0.2133), ('hp', 0.1061),
        ('dementia', 0.0467)) as w (condition, weight) using (condition)
        where ill.spell_id = scored.spell_id), 0)
    + coalesce((select coefficient from trust where code = provider), -0.1155))))
from scored where age >= 18;
