-- eFI2 of everybody in the run. Needs population.sql and codes.sql. Makes oracle_score.

create temp table efi2_rows (cluster text, system text, code text, gt double precision,
    lt double precision, term text);
\copy efi2_rows from 'configs/efi2/efi2_codes.csv' with (format csv, header)

-- Everything recorded of a cluster, with its value rule met; day null where not known.
create temp table noted as
select e.person_id, r.cluster, e.numeric_value as value,
    case when s.day is null then e.event_date end as day
from sid.gp_event e
join (select cluster, code::bigint as code, gt, lt from efi2_rows) r on r.code = e.snomed_code
join in_run p using (person_id)
left join sentinel s on s.day = e.event_date
where p.age >= 65
    and (r.gt is null or e.numeric_value > r.gt and e.numeric_value <> 'NaN')
    and (r.lt is null or e.numeric_value < r.lt)
    and (e.event_date is null or s.day is not null or e.event_date < :'as_of'
        and e.event_date between p.birth_date and coalesce(p.death_date, 'infinity'));
analyze noted;

-- Deficits that count once recorded, in their own time.
create temp table present as
select distinct n.person_id, regexp_replace(n.cluster, '_(5y|55)$', '') as deficit
from noted n
join in_run p using (person_id)
where n.cluster not in ('bmi', 'systolic_low', 'diastolic_low')
    and n.cluster !~ '^(alcohol|smoker)_'
    and (n.cluster !~ '_5y$' or n.day >= :'as_of'::date - interval '5 years')
    and (n.cluster !~ '_55$' or age(n.day, p.birth_date) >= interval '55 years')
union
select person_id, 'hypotension_syncope' from noted
where cluster in ('systolic_low', 'diastolic_low') and day >= :'as_of'::date - interval '5 years'
group by person_id, cluster having count(*) >= 3
union
select person_id, 'smoker_current' from noted
where cluster like 'smoker_%' and day is not null
group by person_id
having max(day) filter (where cluster = 'smoker_current')
    >= coalesce(max(day) filter (where cluster = 'smoker_ex'), '-infinity')
union
select person_id, category from (
    select distinct on (person_id) person_id, cluster as category from noted
    where cluster like 'alcohol_%' and day >= :'as_of'::date - interval '5 years'
    order by person_id, day desc, case cluster when 'alcohol_previous' then 1
        when 'alcohol_harmful' then 2 else 3 end) latest
union
select person_id, 'alcohol_missing' from in_run p
where not exists (select from noted n where n.person_id = p.person_id
    and n.cluster like 'alcohol_%' and n.day >= :'as_of'::date - interval '5 years')
union
select person_id, case when n.value is null then 'bmi_missing' else 'underweight' end
from in_run p
left join (select distinct on (person_id) person_id, value from noted
    where cluster = 'bmi' and value > 5 and value < 150
        and day >= :'as_of'::date - interval '5 years'
    order by person_id, day desc, value desc) n using (person_id)
where n.value is null or n.value < 18.5
union
select person_id, case when count(distinct left(code, 6)) >= 10 then 'medicines_10'
    else 'medicines_5' end
from (select person_id, issue_date, regexp_replace(upper(bnf_code), '[^A-Z0-9]', '', 'g') as code
      from sid.prescription) r
join in_run p using (person_id)
where issue_date >= :'as_of'::date - 90 and issue_date < :'as_of'
    and issue_date between p.birth_date and coalesce(p.death_date, 'infinity')
    and issue_date not in (select day from sentinel)
    and left(code, 2) in (select chapter from bnf_chapter)
group by person_id having count(distinct left(code, 6)) >= 5;

create temp table efi2_weight (deficit text primary key, weight double precision);
insert into efi2_weight values
    ('activity_limitation', 0.15284), ('alcohol_harmful', 0.23107), ('alcohol_missing', 0.13175),
    ('alcohol_previous', 1.36434), ('atrial_fibrillation', 0.13025), ('cancer', 0.2406),
    ('cognitive_impairment', 0.10985), ('copd', 0.11683), ('dementia', 0.41715),
    ('dressing_grooming_problems', 0.05422), ('environment_problems', 0.11886),
    ('falls', 0.62743), ('fracture', 0.07353), ('fragility_fracture', 0.17425),
    ('heart_failure', 0.11086), ('housebound', 0.33254), ('hypotension_syncope', 0.18253),
    ('liver_problems', 0.23787), ('medication_management_problems', 0.32125),
    ('memory_concerns', 0.11915), ('mobility_problems', 0.46836), ('motor_neuron_disease', 0.35347),
    ('bmi_missing', 0.25318), ('underweight', 0.4417), ('palliative_care', 0.5145),
    ('parkinsonism_tremor', 0.03537), ('peptic_ulcer', 0.05427),
    ('peripheral_vascular_disease', 0.02672), ('care_requirement', 0.21428),
    ('respiratory_disease', 0.01049), ('seizures', 0.02885), ('self_harm', 0.009),
    ('skin_ulcer', 0.21935), ('smoker_current', 0.10291), ('social_vulnerability', 0.23585),
    ('stroke', 0.10565), ('transient_ischemic_attack', 0.02305), ('weight_loss_anorexia', 0.19256),
    ('medicines_5', 0.32301), ('medicines_10', 0.50801);

create temp table oracle_score as
select person_id, 'efi2' as model, coalesce(sum(weight), 0) / 8.429 as score
from in_run
left join (select * from present a where not exists (
    select from (values ('memory_concerns', 'cognitive_impairment'), ('memory_concerns', 'dementia'),
        ('cognitive_impairment', 'dementia')) as h (mild, serious)
    join present b on b.person_id = a.person_id and b.deficit = h.serious
    where h.mild = a.deficit)) a using (person_id)
left join efi2_weight using (deficit)
where age >= 65
group by person_id;
