-- More rows of made-up people, so that every line of every list is met by somebody: the
-- made-up population has few of the rare ones, and none of what is only ever recorded. Run
-- after codes.sql and codes_library.sql, before a run. The same rows each time.

-- A number from text that does not change: the start of its MD5.
create function pg_temp.pick(text, n bigint) returns bigint language sql immutable as
    $$ select ('x' || substr(md5($1), 1, 12))::bit(48)::bigint % n $$;

create temp table chosen as
select person_id, row_number() over (order by md5(person_id::text)) - 1 as place
from sid.person
where birth_date < :'as_of'::date - interval '20 years'
order by md5(person_id::text) limit 3000;
create unique index on chosen (place);

-- ---- GP record: rare codes twice, those of short lists often, several on one day -------
create temp table wanted as
select family, list, code, count(*) over (partition by family, list) as size
from (select family, list, code from gp_list
      union select 'efi', deficit, code from efi_rule
      union select 'efi', deficit, code from efi_rule_reviewed) w;

insert into sid.gp_event (person_id, event_date, snomed_code, numeric_value)
select person_id,
    case pg_temp.pick(seed || 'd', 60) when 0 then date '1900-01-01' when 1 then null
        else :'as_of'::date - (pg_temp.pick(seed || 'e', 50) * pg_temp.pick(seed || 'f', 130) + 1)::int end,
    code,
    case when pg_temp.pick(seed || 'n', 5) = 0 then null
        when list = 'ob_bmi' then 20 + pg_temp.pick(seed || 'v', 41) / 2.0
        when list = 'ost_t_score' then -pg_temp.pick(seed || 'v', 9) / 2.0
        when list = 'level' then pg_temp.pick(seed || 'v', 6)
        when list = 'score' then pg_temp.pick(seed || 'v', 1100) / 10.0
        when list = 'CKD147' then 30 + pg_temp.pick(seed || 'v', 60)
        else pg_temp.pick(seed || 'v', 1500) / 10.0 end
from (select family, list, code, md5(family || list || code || n) as seed
      from wanted, generate_series(1, greatest(2, 600 / size)) as n) w
cross join lateral (select pg_temp.pick(seed || 'p', 3000) as place) p
join chosen using (place);

-- ---- medicines -----------------------------------------------------------------------
insert into sid.prescription (person_id, issue_date, bnf_code, items)
select person_id, :'as_of'::date - (1 + pg_temp.pick(seed || 'e', 420))::int,
    rpad(prefix, 15, '0A'), nullif(pg_temp.pick(seed || 'i', 4), 0)
from (select prefix, md5(prefix || n) as seed
      from (select prefix from cms_medicine union select prefix from acb_rows
            union select prefix from aec_rows union select prefix from bnf_scope) m,
          generate_series(1, 150) as n) w
cross join lateral (select pg_temp.pick(seed || 'p', 3000) as place) p
join chosen using (place);

-- ---- hospital: a code of every line in some episode of the last six years --------------
create temp table episode as
select episode_id, spell_id, person_id, episode_start,
    row_number() over (order by md5(episode_id::text)) - 1 as place
from sid.hospital_episode
where episode_start >= :'as_of'::date - interval '6 years';
create unique index on episode (place);

insert into sid.diagnosis (episode_id, spell_id, person_id, diagnosis_date, position, icd10_code)
select episode_id, spell_id, person_id, episode_start,
    case when pg_temp.pick(seed || 'o', 2) = 0 then 1 else 2 end,
    case pg_temp.pick(seed || 'c', 3) when 0 then prefix when 1 then lower(prefix) || 'X'
        else left(prefix, 3) || '.' || substr(prefix, 4) || '9' end
from (select prefix, md5(prefix || n) as seed
      from (select code as prefix from hfrs_code union select prefix from charlson_code
            union select prefix from shmi_code union select prefix from elixhauser_code
            union select prefix from imperial_code union select prefix from acsc_code
            union select prefix from falls_code) c, generate_series(1, 12) as n) w
cross join lateral (select pg_temp.pick(seed || 'p', (select count(*) from episode)) as place) p
join episode using (place);
