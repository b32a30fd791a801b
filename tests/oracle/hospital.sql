-- Charlson with age and as in the SHMI, Elixhauser, frailty syndromes. Adds to
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
create index on shmi (person_id, condition);
analyze shmi;
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
create index on elixhauser (person_id, condition);
analyze elixhauser;
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

-- The example dataset has no operations: see admissions.sql.
create temp table operation (episode_id bigint, position int, code text);
