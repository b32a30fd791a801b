-- The regressions, in double precision. Adds to oracle_score.

create temp table risk_input as
select person_id, age, imd_decile,
    coalesce(deficits, 0) + (m.person_id is not null)::int as deficits,
    coalesce(conditions, 0) as conditions,
    coalesce(emergencies, 0) as emergencies, coalesce(emergencies_before, 0) as emergencies_before,
    coalesce(attendances, 0) as attendances, coalesce(medicines, 0) as medicines
from in_run p
left join (select person_id, count(*) as deficits, count(*) filter (where deficit in (
        'arthritis', 'atrial-fibrillation', 'chd', 'ckd', 'diabetes', 'heart-failure',
        'hypertension', 'osteoporosis', 'parkinsons', 'pvd', 'respiratory-disease', 'stroke-tia',
        'thyroid-disorders')) as conditions
    from deficit group by 1) d using (person_id)
left join many_medicines m using (person_id)
left join (select person_id,
        count(*) filter (where day >= :'as_of'::date - interval '12 months') as emergencies,
        count(*) filter (where day < :'as_of'::date - interval '12 months'
            and day >= :'as_of'::date - interval '24 months') as emergencies_before
    from spell where method like '2%' group by 1) s using (person_id)
left join (select person_id, count(*) as attendances from attendance
    where day >= :'as_of'::date - interval '12 months' group by 1) a using (person_id)
left join (select person_id, count(distinct left(code, 9)) as medicines from rx
    where day >= :'as_of'::date - interval '12 months'
        and left(code, 2) in (select chapter from bnf_chapter) group by 1) r using (person_id);

create temp table risk as
select person_id, conditions, 100 / (1 + exp(-(-3.36605::float8
    + 0.0091 * greatest(age - 40, 0) + 0.0337 * (11 - coalesce(imd_decile, 6) - 5.5)
    + 0.1699 * deficits + 0.6710 * least(emergencies, 6) + 0.2666 * least(emergencies_before, 6)
    + 0.1237 * least(attendances, 10) + 0.0210 * least(medicines, 20)))) as score
from risk_input where age >= 18;

insert into oracle_score
select person_id, 'admission_12m', score from risk
union all
select person_id, 'kaiser', score from risk where conditions >= 1;
