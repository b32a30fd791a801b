-- Charlson with age and as in the SHMI, Elixhauser, frailty syndromes, admissions. Adds to
-- oracle_score. Needs coded and standing: see scores.sql.

create temp table code_seen as select distinct code from coded;

insert into oracle_score
select s.person_id, 'charlson_age', s.score
    + least(greatest(floor((p.age - 40) / 10.0), 0), 4)::int
from oracle_score s join in_run p using (person_id) where s.model = 'charlson';

create temp table shmi as
select distinct person_id, condition
from coded join (select distinct c.code, k.condition from code_seen c
                 join shmi_code k on c.code like k.prefix || '%') k using (code);
insert into oracle_score
select person_id, 'charlson_shmi', least(greatest(coalesce(sum(w.shmi), 0), 0), 50)
from in_run
left join (select * from shmi c where c.condition <> 'canc' or not exists (
    select from shmi m where m.person_id = c.person_id and m.condition = 'metacanc')) c
    using (person_id)
left join charlson_weight w using (condition)
group by person_id;

-- A code may stand for two conditions, by prefixes of different length: both count.
create temp table elixhauser as
select distinct person_id, condition
from coded join (select distinct c.code, k.condition from code_seen c
                 join elixhauser_code k on c.code like k.prefix || '%') k using (code);
insert into oracle_score
select person_id, m.model, coalesce(sum(case m.model
    when 'elixhauser' then w.elixhauser
    when 'elixhauser_ahrq_mortality' then w.elixhauser_ahrq_mortality
    else w.elixhauser_ahrq_readmission end), 0)
from in_run
cross join (values ('elixhauser'), ('elixhauser_ahrq_mortality'),
    ('elixhauser_ahrq_readmission')) as m (model)
left join (select * from elixhauser e where not exists (
    select from (values ('diabunc', 'diabc'), ('hypunc', 'hypc'), ('solidtum', 'metacanc'))
        as h (mild, serious)
    join elixhauser s on s.person_id = e.person_id and s.condition = h.serious
    where h.mild = e.condition)) e using (person_id)
left join elixhauser_weight w using (condition)
group by person_id, m.model;

insert into oracle_score
select person_id, 'imperial_frailty', count(distinct syndrome) / 9.0::float8
from in_run
left join (select person_id, syndrome
           from coded join (select distinct c.code, k.syndrome from code_seen c
                            join imperial_code k on c.code like k.prefix || '%') k using (code)
           where day >= :'as_of'::date - interval '2 years') s using (person_id)
group by person_id;

-- ---- emergency admissions by their first episode --------------------------------------
create temp table first_episode as
select s.person_id, s.day, d.episode_id, d.position,
    regexp_replace(upper(d.icd10_code), '[^A-Z0-9]', '', 'g') as code,
    s.method in ('21', '23', '24', '28', '2A', '2B', '2C', '2D')
        and s.specialty not in ('501', '560', '610') and e.episode_end is not null as is_iif
from spell s
join sid.hospital_episode e on e.spell_id = s.spell_id and e.episode_order = 1
join sid.diagnosis d on d.episode_id = e.episode_id
where s.method like '2%' and s.day >= :'as_of'::date - interval '12 months';
create index on first_episode (episode_id);

create temp table beside as
select episode_id, bool_or(position > 1 and code ~ '^J4[12347]') as copd,
    bool_or(position > 1 and code like 'D57%') as sickle,
    bool_or(position > 1 and code ~ '^W[01]') as fall, bool_or(code ~ '^[V-Y]') as cause
from first_episode group by 1;

insert into oracle_score
select p.person_id, m.model, count(distinct (condition, day)) filter (where condition is not null)
from in_run p
cross join (values ('acsc_admissions', 'nhp_acsc19'), ('acsc_iif', 'iif_ac02')) as m (model, system)
left join (
    select f.person_id, k.system, k.condition, f.day
    from first_episode f
    join beside b using (episode_id)
    join acsc_code k on f.code like k.prefix || '%'
        and (k.place = 'any' or f.position = 1)
        and (k.system <> 'iif_ac02' or f.is_iif)
    where (k.condition <> 'copd_if_secondary_copd' or b.copd)
        and (k.condition <> 'influenza_pneumonia' or not b.sickle)) a
    on a.person_id = p.person_id and a.system = m.system
where m.model = 'acsc_admissions' or p.sex in ('M', 'F')
group by p.person_id, m.model;

insert into oracle_score
select person_id, 'falls_admissions', count(distinct (rule, day)) filter (where rule is not null)
from in_run
left join (
    select f.person_id, k.rule, f.day
    from first_episode f
    join beside b using (episode_id)
    join falls_code k on f.code like k.prefix || '%' and k.role = 'require_diagnosis'
        and (k.place = 'any' or k.place = 'primary' and f.position = 1)
    where (k.rule = 'explicit_fall' and b.fall) or (k.rule = 'implicit_fracture' and not b.cause)
        or k.rule = 'tendency_to_fall') a using (person_id)
where age >= 65
group by person_id;
