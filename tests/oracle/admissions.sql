-- Ambulatory-care-sensitive emergency admissions, by their first episode. Adds to
-- oracle_score. Needs spell (see events.sql) and the table operation: of each episode the
-- operations in their order, in the text form of OPCS-4.

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

-- Which diagnoses an operation rules out: of the episode any, or the first.
create temp table operated as
select distinct d.episode_id, x.system, x.condition
from (select distinct episode_id from first_episode) d
join operation o using (episode_id)
join acsc_extra x on x.rule = 'exclude_procedure' and (x.place = 'any' or o.position = 1)
    and regexp_replace(upper(o.code), '[^A-Z0-9]', '', 'g') like x.prefix || '%';

-- A day counts once, whatever it was for.
insert into oracle_score
select p.person_id, m.model, count(distinct day)
from in_run p
cross join (values ('acsc_admissions', 'nhp_acsc19'), ('acsc_iif', 'iif_ac02')) as m (model, system)
left join (
    select f.person_id, k.system, k.condition, f.day
    from first_episode f
    join beside b using (episode_id)
    join acsc_code k on f.code like k.prefix || '%'
        and (k.place = 'any' or f.position = 1)
        and (k.system <> 'iif_ac02' or f.is_iif)
    left join operated o on o.episode_id = f.episode_id and o.system = k.system
        and o.condition = k.condition
    where o.episode_id is null and (k.condition <> 'copd_if_secondary_copd' or b.copd)
        and (k.condition <> 'influenza_pneumonia' or not b.sickle)) a
    on a.person_id = p.person_id and a.system = m.system
where m.model = 'acsc_admissions' or p.sex in ('M', 'F')
group by p.person_id, m.model;
