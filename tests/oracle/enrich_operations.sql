-- Made-up operations of emergency admissions, for configs/operations: two out of three first
-- episodes have one or two, half of them with a code of a list, half with any letter and
-- digits. Also gives those episodes a main diagnosis that an operation may rule out.

create table sid.operation (episode_id bigint, position int, opcs4_code text);
create temp table prefix as
select prefix, row_number() over (order by prefix) - 1 as place
from (select distinct prefix from acsc_extra) x;
create function pg_temp.pick(seed text, n bigint) returns bigint
language sql immutable as $$ select (('x' || left(md5(seed), 7))::bit(28)::int) % n $$;

create temp table first_of_emergency as
select e.episode_id, e.spell_id, e.person_id, e.episode_start, md5(e.episode_id || 'o') as seed
from sid.hospital_episode e
join sid.hospital_spell s using (spell_id)
where e.episode_order = 1 and s.admission_method like '2%';

insert into sid.operation
select e.episode_id, n, case when pg_temp.pick(seed || n, 2) = 0
    then (select prefix from prefix
          where place = pg_temp.pick(seed || 'p' || n, (select count(*) from prefix))) || '1'
    else chr(65 + pg_temp.pick(seed || 'l' || n, 26)::int)
        || lpad(pg_temp.pick(seed || 'd' || n, 1000)::text, 3, '0') end
from first_of_emergency e, generate_series(1, 2) as n
where pg_temp.pick(seed || 'is', 3) >= n;

update sid.diagnosis d
set icd10_code = (array['L03', 'L88X', 'I50.1', 'I10X', 'I11.9', 'J81X', 'I20.0', 'J20.9'])
    [1 + pg_temp.pick(seed || 'c', 8)]
from first_of_emergency e
where e.episode_id = d.episode_id and d.position = 1 and pg_temp.pick(seed || 'is ill', 2) = 0;
