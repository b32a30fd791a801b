-- What a run wrote to files: see compare.sh.
create temp table engine_score as
select person_id::bigint, model, nullif(score, '')::double precision as score
from file_score
join file_run_model using (model_no)
where nullif(score, '') is not null
    and model in ('efi', 'hfrs', 'charlson', 'charlson_2011');

create temp table engine_person as
select person_id::bigint from file_person;
