-- Emergency admissions after falls. Adds to oracle_score. Needs admissions.sql.

insert into oracle_score
select person_id, 'falls_admissions', count(distinct (what, day)) filter (where what is not null)
from in_run
left join (
    select f.person_id, f.day,
        case when k.rule = 'explicit_fall' then 'injury' when b.cause then 'with a cause'
            else 'without' end as what
    from first_episode f
    join beside b using (episode_id)
    join falls_code k on f.code like k.prefix || '%' and k.role = 'require_diagnosis'
        and (k.place = 'any' or k.place = 'primary' and f.position = 1)
    where (k.rule = 'explicit_fall' and b.fall) or (k.rule = 'implicit_fracture' and not b.cause)
        or k.rule = 'tendency_to_fall') a using (person_id)
where age >= 65
group by person_id;
