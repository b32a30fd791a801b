-- Where the oracle and the engine disagree. Needs oracle_score, engine_score, engine_model.
-- Points and shares are met exactly; a regression to 1e-9 of its score.

create temp table compared as
select model, person_id, o.score as oracle, e.score as engine,
    o.score is distinct from e.score
        and not coalesce(abs(o.score - e.score) <= 1e-9 * greatest(abs(o.score), 1), false)
        as differs
from oracle_score o
full join engine_score e using (person_id, model)
where model in (select model from engine_model);

\echo model people scored_by_oracle scored_by_engine above_zero highest differences
select model, count(*), count(oracle), count(engine), count(*) filter (where oracle > 0),
    round(max(oracle)::numeric, 3), count(*) filter (where differs)
from compared group by model order by model;

-- A few of each kind, to start looking from.
select model, person_id, oracle, engine from (
    select *, row_number() over (partition by model order by person_id) as n
    from compared where differs) as d
where n <= 5;

\echo models of the run without an oracle
select model from engine_model
where model in (select model from engine_score)
    and model not in (select model from oracle_score) order by model;

\echo people in the run: oracle, engine, in only one of them
select (select count(*) from in_run), (select count(*) from engine_person),
    (select count(*) from in_run full join engine_person using (person_id)
     where in_run.person_id is null or engine_person.person_id is null);

select (select count(*) from compared where differs)
    + (select count(distinct model) from engine_score
       where model not in (select model from oracle_score))
    + (select count(*) from in_run full join engine_person using (person_id)
       where in_run.person_id is null or engine_person.person_id is null) as differences
\gset
\echo differences :differences
