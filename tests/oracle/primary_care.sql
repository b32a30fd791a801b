-- eFI without doubtful codes, Clinical Frailty Scale, Patient Activation Measure, QOF
-- registers and the Cambridge scores. Adds to oracle_score.

-- ---- eFI without the rows marked suspect-map -----------------------------------------
create temp table deficit_reviewed as
select distinct e.person_id, r.deficit
from sid.gp_event e
join efi_rule_reviewed r on r.code = e.snomed_code
join in_run p using (person_id)
where (r.gt is null or e.numeric_value > r.gt and e.numeric_value <> 'NaN')
    and (r.lt is null or e.numeric_value < r.lt)
    and (r.sex is null or r.sex = p.sex)
    and (e.event_date is null or e.event_date in (select day from sentinel)
        or e.event_date < :'as_of'
            and e.event_date between p.birth_date and coalesce(p.death_date, 'infinity'));

insert into oracle_score
select person_id, 'efi_reviewed', count(d.deficit) / 36.0::float8
from in_run
left join (select * from deficit_reviewed
           union select person_id, 'polypharmacy' from many_medicines) d using (person_id)
where age >= 65
group by person_id;

-- ---- as recorded ---------------------------------------------------------------------
insert into oracle_score
select distinct on (person_id) person_id, 'cfs', right(list, 1)::float8
from gp where family = 'cfs' and day is not null
order by person_id, day desc, right(list, 1) desc;

insert into oracle_score
select distinct on (person_id) person_id, 'pam',
    case when list = 'level' then value
         when value <= 47.0 then 1 when value <= 55.1 then 2 when value <= 72.4 then 3 else 4 end
from gp
where family = 'pam' and day is not null
    and value between case list when 'level' then 1 else 0 end
        and case list when 'level' then 4 else 100 end
order by person_id, day desc, list, value desc;

-- ---- QOF registers -------------------------------------------------------------------
-- A diagnosis list, the cluster that ends it, and what else the register asks for.
create temp table last_code as
select person_id, family, list, max(day) as day from gp group by 1, 2, 3;
create index on last_code (person_id, family, list);

-- Of asthma a year, of epilepsy and lithium half a year.
create temp table treated as
select distinct person_id, list
from rx join rx_list using (code)
where family = 'cms' and list in ('AST127', 'EPI156', 'SCZ176')
    and day >= :'as_of'::date - case list when 'AST127' then interval '12 months'
        else interval '6 months' end;

create temp table register as
-- later than the latest resolved code, if there is one
select d.person_id, r.name
from (values ('af', 'ATR143', 'af_ended', 0, ''), ('asthma', 'AST142', 'ast_ended', 6, 'AST127'),
             ('copd', 'COP151', 'copd_ended', 0, ''), ('diabetes', 'DIB128', 'dm_ended', 17, ''),
             ('epilepsy', 'EPI155', 'ep_ended', 18, 'EPI156'), ('hf', 'HEF158', 'hf_ended', 0, ''),
             ('htn', 'HYP159', 'htn_ended', 18, '')) as r (name, list, ended, min_age, medicines)
join last_code d on d.family = 'cms' and d.list = r.list
join in_run p on p.person_id = d.person_id and p.age >= r.min_age
left join last_code e
    on e.person_id = d.person_id and e.family = 'qof' and e.list = r.ended
where (e.day is null or d.day > e.day)
    and (r.name not in ('asthma', 'epilepsy') or d.person_id in (
        select person_id from treated where treated.list = r.medicines))
union
-- for life
select person_id, list from gp where family = 'cms' and list in ('CHD126', 'DEM131', 'STR130')
union
select person_id, list from gp where family = 'qof' and list in ('ld_diagnosis', 'pad_diagnosis')
union
select person_id, 'cancer' from gp
where family = 'cms' and list = 'CAN146' and day >= '2003-04-01'
union
select d.person_id, 'ckd'
from last_code d
join in_run p on p.person_id = d.person_id and p.age >= 18
where d.family = 'qof' and d.list = 'ckd_stage_3_5' and d.day is not null and not exists (
    select from last_code e where e.person_id = d.person_id and e.family = 'qof'
        and e.list in ('ckd_stage_1_2', 'ckd_ended') and e.day >= d.day)
union
-- not followed by an ending code: one on the same day does not end it
select d.person_id, d.list
from last_code d
join in_run p using (person_id)
join (values ('dep_diagnosis', 'dep_ended', date '2006-04-01', 18),
             ('pc_diagnosis', 'pc_ended', date '2008-04-01', 0)) as r (list, ended, since, min_age)
    using (list)
where d.family = 'qof' and d.day >= r.since and p.age >= r.min_age and not exists (
    select from last_code e where e.person_id = d.person_id and e.family = 'qof'
        and e.list = r.ended and e.day > d.day)
union
select d.person_id, 'ndh'
from gp d
join in_run p using (person_id)
where d.family = 'qof' and d.list in ('ndh_diagnosis', 'ndh_prediabetes')
    and age(d.day, p.birth_date) >= interval '18 years'
    and not exists (
        select from last_code b left join last_code e
            on e.person_id = b.person_id and e.family = 'qof' and e.list = 'dm_ended'
        where b.person_id = d.person_id and b.family = 'cms' and b.list = 'DIB128'
            and (e.day is null or b.day > e.day))
union
select person_id, 'obesity'
from (select distinct on (person_id) person_id, value from gp
      where family = 'qof' and list = 'ob_bmi' and day is not null and value > 5 and value < 150
      order by person_id, day desc, value desc) b
join in_run using (person_id)
where age >= 18 and (value >= 30 or value >= 27.5 and ethnic_category ~ '^[D-S]$')
union
select d.person_id, 'osteoporosis'
from gp d
join in_run p using (person_id)
where d.family = 'qof' and d.list = 'ost_diagnosis' and p.age >= 50 and exists (
        select from gp f where f.person_id = d.person_id and f.family = 'qof'
            and f.list = 'ost_fracture'
            and f.day >= case when p.age >= 75 then date '2014-04-01' else '2012-04-01' end)
    and (p.age >= 75 or exists (
        select from gp x where x.person_id = d.person_id and x.family = 'qof'
            and (x.list = 'ost_dxa' or x.list = 'ost_t_score' and x.value <= -2.5)))
union
select d.person_id, 'rheumatoid'
from (select person_id, min(day) as first from gp
      where family = 'qof' and list = 'ra_diagnosis' group by 1) d
join in_run p using (person_id)
where age(d.first, p.birth_date) >= interval '16 years'
union
select person_id, 'smi' from gp where family = 'cms' and list = 'SCZ175'
union
select person_id, 'smi' from treated where list = 'SCZ176';

insert into oracle_score
select person_id, 'ltc_count', count(distinct name)
from in_run left join register using (person_id)
group by person_id;

-- ---- Cambridge scores ----------------------------------------------------------------
create temp table items as
select person_id, list, coalesce(sum(items) filter (where day >= :'as_of'::date - 365), 0) as year,
    coalesce(sum(items), 0) as ever
from rx join (select distinct list, code from rx_list where family = 'cms') l using (code)
group by 1, 2;

-- The two latest days with a reading of kidney function, the highest of each.
create temp table kidney as
select person_id from (
    select person_id, max(value) as value,
        row_number() over (partition by person_id order by day desc) as place
    from gp
    where family = 'cms' and list = 'CKD147' and value > 0 and value <= 250
        and day > '1901-01-01'
    group by person_id, day) r
where place <= 2
group by person_id having count(*) = 2 and max(value) < 60;

create temp table cambridge as
select person_id, family, left(list, 3) as condition from gp
where family in ('cms', 'cms37') and list not in (
    'ANX140', 'DEP152', 'ANXDEP_OS', 'AST142', 'CAN146', 'CKD147', 'EPI155', 'PSO171')
union
select person_id, family, 'ANXDEP' from gp
where family in ('cms', 'cms37') and list in ('ANX140', 'DEP152', 'ANXDEP_OS')
    and day >= :'as_of'::date - 365
union
select g.person_id, g.family, left(g.list, 3)
from gp g join items i on i.person_id = g.person_id
where g.family in ('cms', 'cms37') and (g.list, i.list) in (
        ('AST142', 'AST127'), ('EPI155', 'EPI156'), ('PSO171', 'PSO172'))
    and i.year >= case g.list when 'PSO171' then 4 else 1 end
union
select person_id, family, 'CAN' from gp
where family in ('cms', 'cms37') and list = 'CAN146'
group by person_id, family having :'as_of'::date - min(day) <= 1826
union
select person_id, f, 'CKD' from kidney, unnest(array['cms', 'cms37']) as f
union
select i.person_id, f, case i.list when 'ANX141' then 'ANXDEP' when 'DEP153' then 'ANXDEP'
    when 'PNC166' then 'PNC' when 'PNC167' then 'PNC' else left(i.list, 3) end
from items i, unnest(array['cms', 'cms37']) as f
where (i.list in ('ANX141', 'DEP153', 'CON150', 'IBS162', 'MIG164', 'PNC166') and i.year >= 4)
    or (i.list = 'SCZ176' and i.ever >= 1)
    or (i.list = 'PNC167' and i.year >= 4 and not exists (
        select from gp e where e.person_id = i.person_id and e.family = f and e.list = 'EPI155'));

-- Weights as published; those of the paper that are used, by condition.
create temp table cambridge_weight (condition text, general20 numeric, mortality20 numeric,
    general37 numeric);
insert into cambridge_weight values
    ('ALC', 0.65, 12.72, 0.55), ('ANXDEP', 0.5, 7.04, 0.47), ('AST', 0.19, -2.73, 0.18),
    ('ATR', 1.34, 22.14, 1.3), ('CAN', 1.53, 62, 1.5), ('CKD', 0.53, 16.61, 0.51),
    ('CON', 1.12, 35.42, 1.03), ('COP', 1.46, 42.5, 1.41), ('CHD', 0.49, 4.22, 0.46),
    ('DEM', 2.5, 124.42, 2.46), ('DIB', 0.75, 10.23, 0.71), ('EPI', 0.92, 18.26, 0.85),
    ('HEL', 0.09, -3.94, 0.07), ('HEF', 1.18, 43.47, 1.12), ('HYP', 0.08, -2.09, 0.09),
    ('IBS', 0.21, -1.33, 0.18), ('PNC', 0.92, 16.46, 0.87), ('RHE', 0.43, -0.39, 0.4),
    ('SCZ', 0.64, 7.2, 0.58), ('STR', 0.8, 20.63, 0.77);
insert into cambridge_weight (condition, general37) values
    ('ANO', 0.34), ('BLI', 0.15), ('BRO', 0.66), ('CLD', 0.72), ('IBD', 0.44), ('LEA', 0.47),
    ('MIG', 0.07), ('MSC', 0.69), ('PRK', 1.29), ('PEP', 0.2), ('PVD', 0.53), ('PRO', 0.01),
    ('PSO', 0.25), ('PSM', 0.38), ('THY', 0.08);

insert into oracle_score
select person_id, m.model, coalesce(sum(case m.model when 'cms_general20' then w.general20
    when 'cms_mortality20' then w.mortality20 else w.general37 end), 0)::float8
from in_run
cross join (values ('cms_general20', 'cms'), ('cms_mortality20', 'cms'),
    ('cms_general37', 'cms37')) as m (model, family)
left join cambridge c using (person_id, family)
left join cambridge_weight w using (condition)
group by person_id, m.model;
