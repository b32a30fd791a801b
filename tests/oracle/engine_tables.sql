-- What the current run says, out of the results schema.
create temp table engine_score as
select person_id, model, score
from stratify.current_score
where score is not null;

create temp table engine_model as
select model from stratify.run_model join stratify.current_run using (run_id);

create temp table engine_person as
select person_id from stratify.person join stratify.current_run using (run_id);
