-- Are the tables of run :run of the peers those of the engine's current run? Everybody's
-- practice, age, segment, scores, outcomes, bands and ranks, to the last bit, and every
-- line of every list but the reasons, which
-- only the engine gives. Prints the number of lines that differ or are in only one of them.
set work_mem = '512MB';
set max_parallel_workers_per_gather = 2;
select (
    select count(*)
    from (select * from stratify.person join stratify.current_run using (run_id)) e
    full join (select * from peer.person where run_id = :run) p using (person_id)
    where (e.practice_code, e.age, e.segment_no, e.score, e.outcome, e.band, e.rank,
           e.flag)
        is distinct from
        (p.practice_code, p.age, p.segment_no, p.score, p.outcome, p.band, p.rank,
         p.flag)
) + (
    select count(*)
    from (select * from stratify.cohort_member join stratify.current_run using (run_id)) e
    full join (select * from peer.cohort_member where run_id = :run) p
        using (cohort, group_code, person_id)
    where (e.rank, e.movement, e.left_reason, e.practice_code, e.age, e.segment_no, e.scores)
        is distinct from
        (p.rank, p.movement, p.left_reason, p.practice_code, p.age, p.segment_no, p.scores)
);
