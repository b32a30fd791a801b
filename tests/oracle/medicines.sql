-- Polypharmacy and anticholinergic burden. Adds to oracle_score.

insert into oracle_score
select person_id, 'polypharmacy', count(distinct substance)
from in_run
left join (select person_id, left(code, 9) as substance from rx
           where day >= :'as_of'::date - interval '3 months'
               and left(code, 2) in (select chapter from bnf_chapter)) r using (person_id)
group by person_id
union all
select person_id, 'polypharmacy_paragraphs', count(distinct paragraph)
from in_run
left join (select person_id, left(code, 6) as paragraph from rx
           where day >= :'as_of'::date - 90
               and left(code, 2) in (select chapter from bnf_chapter)) r using (person_id)
group by person_id
union all
-- A medicine is in scope unless a line leaves it out and no line takes it in again.
select person_id, 'polypharmacy_in_scope',
    count(distinct left(code, 9)) - count(distinct left(code, 9)) filter (where is_out)
        + count(distinct left(code, 9)) filter (where is_in)
from in_run
left join (select person_id, code,
        code in (select code from rx_list where family = 'out') as is_out,
        code in (select code from rx_list where family = 'in') as is_in
    from (select distinct person_id, code from rx
          where day >= :'as_of'::date - interval '12 months') year) scope using (person_id)
group by person_id
union all
select person_id, m.model, coalesce(sum(weight), 0)
from in_run
cross join (values ('acb'), ('aec')) as m (model)
left join (
    select distinct person_id, family as model, list, weight
    from rx join rx_list using (code)
    where family in ('acb', 'aec') and day >= :'as_of'::date - interval '3 months') taken
    using (person_id, model)
group by person_id, m.model;
