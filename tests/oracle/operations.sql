-- Of configs/operations: operations as tests/run/library.sh makes them up. Makes oracle_score.

create temp table oracle_score (person_id bigint, model text, score float8);
create temp table operation as
select episode_id, position, opcs4_code as code from sid.operation;
