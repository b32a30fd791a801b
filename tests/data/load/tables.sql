-- Some hundred made-up people with a little of everything, and some of the dirt of real
-- data: the tables that tests/loaders/test_load.c reads in many ways.

create table t_people as
select case when i % 7 = 0 then -i else i * 1000003 end as id,
       date '1930-01-01' + i::int * 37 as birth,
       case when i % 11 = 0 then date '2025-03-01' + i::int end as death,
       i % 97 = 0 as test,
       case i % 3 when 0 then '1' when 1 then 'F' else 'X' end as sex,
       case when i % 5 > 0 then (i % 10)::smallint end as imd
from generate_series(1::bigint, 700) i;

insert into t_people select * from t_people where id % 13 = 0;
insert into t_people
select id, birth + 1, death, test, sex, imd from t_people where id % 41 = 0;

create table t_registrations as
select id,
       'P' || abs(id) % 9 as practice,
       case when n = 0 then date '2001-01-01' else date '2010-01-01' + n end as start_date,
       case when id % 4 = 0 then date '2025-06-29' + n
            when id % 4 = 1 then date '9999-12-31' end as end_date
from t_people, generate_series(0, 1) n;

create table t_practices as
select 'P' || i as practice,
       'Practice ' || i as name,
       case when i % 4 > 0 then 'N' || i % 3 end as pcn,
       null::text as pcn_name,
       'L' || i % 2 as locality
from generate_series(0, 7) i;

create table t_opt_outs as
select id,
       (case when id % 2 = 0 then 'type-1' else 'care' end)::char(8) as type,
       date '2025-06-20' + (abs(id) % 20)::int as date
from t_people
where abs(id) % 10 = 3;

create table t_gp as
select id,
       case when n % 50 = 0 then date '1900-01-01'
            when n % 51 > 0 then date '2019-01-01' + ((abs(id) * 7 + n * 31) % 2500)::int
       end as date,
       case n % 5 when 0 then 217082002
                  when 1 then 60621009
                  when 2 then 73211009
                  else 1234567000 + n end::bigint as code,
       (case when n % 5 = 1 then 20 + n % 20 end)::numeric as value
from t_people, generate_series(1, 60) n;

insert into t_gp values (5, '2025-01-01', 217082002, 1);

create table t_rx as
select id,
       (date '2023-01-01' + ((abs(id) + n * 17) % 950)::int)::timestamp as date,
       '0' || 401 + (abs(id) + n) % 7 || '010B0AAAAAA' as code
from t_people, generate_series(1, 40) n;

create table t_spells as
select id,
       day as date,
       case when n % 4 > 0 then day + n - 1 end as end_date,
       (array['21', '11', '2A'])[n % 3 + 1] as method,
       n / 2 as key
from t_people,
     generate_series(0, 6) n,
     lateral (select date '2023-06-01' + ((abs(id) * 3 + n * 101) % 800)::int as day) d;

analyze;
