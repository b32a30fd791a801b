-- What a run wrote to files: see compare.sh.
create temp table engine_score as
select person_id::bigint, left(c.key, -length('_score')) as model,
    c.value::double precision as score
from file_person p
cross join jsonb_each_text(to_jsonb(p)) c
where c.value is not null
    and c.key in ('efi_score', 'hfrs_score', 'charlson_score', 'charlson_2011_score');

create temp table engine_person as
select person_id::bigint from file_person;
