-- What people in the run have, with days that may be true: see docs/contract.md. A day that
-- nobody knows is null here.

-- GP rows that any list of the library names.
create temp table gp as
select e.person_id, e.event_date as day, l.family, l.list, e.numeric_value as value
from (select person_id, snomed_code, numeric_value,
          case when s.day is null then event_date end as event_date
      from sid.gp_event left join sentinel s on s.day = event_date) e
join gp_list l on l.code = e.snomed_code
join in_run p using (person_id)
where e.event_date is null
    or e.event_date < :'as_of'
        and e.event_date between p.birth_date and coalesce(p.death_date, 'infinity');
create index on gp (family, list);
analyze gp;

create temp table rx as
select r.person_id, case when s.day is null then issue_date end as day,
    regexp_replace(upper(bnf_code), '[^A-Z0-9]', '', 'g') as code, items
from sid.prescription r
left join sentinel s on s.day = issue_date
join in_run p using (person_id)
where bnf_code is not null and (issue_date is null or s.day is not null
    or issue_date < :'as_of'
        and issue_date between p.birth_date and coalesce(p.death_date, 'infinity'));
analyze rx;

-- Which codes are on which list: codes first, rows after, since codes are few.
create temp table rx_list as
select l.family, l.list, l.weight, c.code
from (select distinct code from rx) c
join (select 'cms' as family, list, null::int as weight, prefix from cms_medicine
      union all select 'acb', medicine, weight, prefix from acb_rows
      union all select 'aec', medicine, weight, prefix from aec_rows
      union all select 'out', name, null, prefix from bnf_scope where is_excluded = '1'
      union all select 'in', name, null, prefix from bnf_scope where is_excluded = '0') l
    on c.code like l.prefix || '%';
analyze rx_list;

create temp table attendance as
select a.person_id, arrival_date as day
from sid.ae_attendance a
join in_run p using (person_id)
where not p.hides_hospital and arrival_date < :'as_of'
    and arrival_date between p.birth_date and coalesce(p.death_date, 'infinity')
    and arrival_date not in (select day from sentinel);
