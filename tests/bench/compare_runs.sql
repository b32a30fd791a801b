-- Are the two newest published runs of the engine the same, line by line and to the last
-- bit? Prints the number of lines that differ or are in only one of them.
select max(run_id) as newer, min(run_id) as older
from (select run_id from stratify.run where status = 'published' order by run_id desc limit 2) r
\gset
set work_mem = '512MB';
select (
    select count(*)
    from (select * from stratify.person where run_id = :newer) a
    full join (select * from stratify.person where run_id = :older) b using (person_id)
    where (a.practice_code, a.age, a.segment_no, a.score, a.outcome, a.band, a.rank)
        is distinct from
        (b.practice_code, b.age, b.segment_no, b.score, b.outcome, b.band, b.rank)
) + (
    select count(*)
    from (select * from stratify.cohort_member
          where run_id = :newer and movement <> 'left') a
    full join (select * from stratify.cohort_member
               where run_id = :older and movement <> 'left') b
        using (cohort, group_code, person_id)
    where (a.rank, a.practice_code, a.age, a.segment_no, a.scores, a.reasons,
           a.explanation) is distinct from
        (b.rank, b.practice_code, b.age, b.segment_no, b.scores, b.reasons, b.explanation)
);
