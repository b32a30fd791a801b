-- What a run wrote to files: see compare.sh.
create temp table engine_model as
select model from file_run_model;

create temp table engine_score as
select person_id::bigint, m.model, c.value::double precision as score
from file_person p
cross join jsonb_each_text(to_jsonb(p)) c
join engine_model m on c.key = m.model || '_score'
where c.value is not null;

create temp table engine_person as
select person_id::bigint from file_person;
