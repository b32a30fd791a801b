-- Two runs compared person by person: what would change if the second took the place of
-- the first? For whoever may read the tables; nobody else is granted anything. Can be
-- applied again. Runs are matched by the names of models and cohorts; the numbers of
-- models, bands and outcomes may differ between them.

-- ---- models --------------------------------------------------------------

-- People are joined first and looked at model by model then: their rows are wide, and
-- this way each is handled once. A standing is a band, scored, or why there is no score.
create or replace function stratify.diff_standing(before bigint, after bigint)
returns table (
    model text, person_id bigint, practice_code text, standing_before text,
    standing_after text, bands_up integer, score_before double precision,
    score_after double precision, rank_before integer, rank_after integer)
language sql stable as $$
    with place as materialized (
        select
            model,
            a.at as at_before,
            b.at as at_after,
            a.rank_at as rank_at_before,
            b.rank_at as rank_at_after,
            a.bands as bands_before,
            b.bands as bands_after,
            a.outcomes as outcomes_before,
            b.outcomes as outcomes_after
        from (select * from stratify.model_place where run_id = before) a
        full join (select * from stratify.model_place where run_id = after) b using (model)
    )
    select
        m.model,
        person_id,
        coalesce(b.practice_code, a.practice_code),
        s.before,
        s.after,
        b.band[m.at_after] - a.band[m.at_before],
        a.score[m.at_before],
        b.score[m.at_after],
        a.rank[m.rank_at_before],
        b.rank[m.rank_at_after]
    from (select * from stratify.person where run_id = before) a
    full join (select * from stratify.person where run_id = after) b using (person_id)
    cross join place m
    cross join lateral (
        select
            coalesce(m.bands_before[a.band[m.at_before] + 1],
                     m.outcomes_before[a.outcome[m.at_before] + 1], 'not in the run') as before,
            coalesce(m.bands_after[b.band[m.at_after] + 1],
                     m.outcomes_after[b.outcome[m.at_after] + 1], 'not in the run') as after
        ) s
    where a.score[m.at_before] is distinct from b.score[m.at_after]
       or a.rank[m.rank_at_before] is distinct from b.rank[m.rank_at_after]
       or s.before <> s.after
$$;
comment on function stratify.diff_standing is 'People of whom two runs say something else, by model; ranks are those among everyone';

create or replace function stratify.diff_models(before bigint, after bigint)
returns table (
    model text, versions text, people bigint, other_score bigint, other_band bigint,
    up bigint, down bigint, other_rank bigint, middle_move double precision,
    most_move integer)
language sql stable as $$
    select
        model,
        concat_ws(' -> ', coalesce(a.version, '-'),
                  nullif(coalesce(b.version, '-'), coalesce(a.version, '-'))),
        count(d.person_id),
        count(*) filter (where d.score_before is distinct from d.score_after),
        count(*) filter (where d.standing_before <> d.standing_after),
        count(*) filter (where d.bands_up > 0),
        count(*) filter (where d.bands_up < 0),
        count(*) filter (where d.rank_before <> d.rank_after),
        percentile_cont(0.5) within group (order by abs(d.rank_after - d.rank_before))
            filter (where d.rank_before <> d.rank_after),
        max(abs(d.rank_after - d.rank_before))
    from (select * from stratify.run_model where run_id = before) a
    full join (select * from stratify.run_model where run_id = after) b using (model)
    left join stratify.diff_standing(before, after) d using (model)
    group by model, a.version, b.version, a.model_no, b.model_no
    order by coalesce(b.model_no, a.model_no), model
$$;
comment on function stratify.diff_models is 'How many people each model of two runs says something else of, and how far ranks among everyone move';

create or replace function stratify.diff_bands(before bigint, after bigint)
returns table (model text, standing_before text, standing_after text, people bigint)
language sql stable as $$
    select model, standing_before, standing_after, count(*)
    from stratify.diff_standing(before, after)
    where standing_before <> standing_after
    group by 1, 2, 3
    order by model, count(*) desc, standing_before, standing_after
$$;
comment on function stratify.diff_bands is 'From which band (or reason for no score) to which, and how many people';

-- ---- lists ---------------------------------------------------------------

-- The driver of someone who is on only one of two lists is the first model shown there
-- whose band differs, else the first whose score does. Without one the person is as
-- before, and others, the rule or the capacity are not.
create or replace function stratify.diff_members(before bigint, after bigint)
returns table (
    cohort text, group_code text, person_id bigint, change text, rank_before integer,
    rank_after integer, driver text)
language sql stable as $$
    with member as (
        select
            cohort,
            group_code,
            person_id,
            case when a.rank is null then 'on' when b.rank is null then 'off' else 'stays' end
                as change,
            a.rank as rank_before,
            b.rank as rank_after,
            coalesce(b.scores, a.scores) as scores
        from (select * from stratify.cohort_member where run_id = before and rank > 0) a
        full join (select * from stratify.cohort_member where run_id = after and rank > 0) b
            using (cohort, group_code, person_id)
    ), driver as (
        select distinct on (m.cohort, m.group_code, m.person_id)
            m.cohort,
            m.group_code,
            m.person_id,
            d.model
        from member m
        join stratify.diff_standing(before, after) d
            on d.person_id = m.person_id and m.scores ? d.model
        left join stratify.run_model n on n.run_id = after and n.model = d.model
        where m.change <> 'stays'
          and (d.standing_before <> d.standing_after
               or d.score_before is distinct from d.score_after)
        order by m.cohort, m.group_code, m.person_id,
            d.standing_before = d.standing_after, n.model_no
    )
    select
        m.cohort,
        m.group_code,
        m.person_id,
        m.change,
        m.rank_before,
        m.rank_after,
        d.model
    from member m
    left join driver d using (cohort, group_code, person_id)
$$;
comment on function stratify.diff_members is 'Members of the lists of two runs: on, off or stays, and the model that made the difference';

create or replace function stratify.diff_lists(before bigint, after bigint)
returns table (
    cohort text, group_code text, group_name text, stays bigint, joins bigint,
    leaves bigint, drivers text)
language sql stable as $$
    with part as (
        select cohort, group_code, driver,
            count(*) filter (where change = 'stays') as stays,
            count(*) filter (where change = 'on') as joins,
            count(*) filter (where change = 'off') as leaves
        from stratify.diff_members(before, after)
        group by cohort, group_code, driver
    )
    select
        p.cohort,
        p.group_code,
        max(g.name),
        sum(p.stays)::bigint,
        sum(p.joins)::bigint,
        sum(p.leaves)::bigint,
        string_agg(p.driver || ' ' || p.joins + p.leaves, ', '
                   order by p.joins + p.leaves desc, p.driver)
    from part p
    left join stratify.run_cohort c
        on c.run_id = after and c.cohort = p.cohort
    left join stratify.run_group g
        on g.run_id = after and g.grouping = c.grouping and g.code = p.group_code
    group by p.cohort, p.group_code, c.cohort_no
    order by c.cohort_no, p.cohort, p.group_code
$$;
comment on function stratify.diff_lists is 'Lists of two runs: who is on both, and how many the models brought on or took off';

-- ---- everything, person by person ------------------------------------------

create or replace function stratify.diff_people(before bigint, after bigint)
returns table (
    kind text, item text, group_code text, person_id bigint, change text, was text,
    becomes text, score_before double precision, score_after double precision,
    rank_before integer, rank_after integer, driver text)
language sql stable as $$
    select 'model', model, null::text, person_id,
        case when standing_before <> standing_after then 'band'
             when score_before is distinct from score_after then 'score' else 'rank' end,
        standing_before, standing_after, score_before, score_after, rank_before, rank_after,
        null::text
    from stratify.diff_standing(before, after)
    union all
    select 'cohort', cohort, group_code, person_id, change, null, null, null, null,
        rank_before, rank_after, driver
    from stratify.diff_members(before, after)
    where rank_before is distinct from rank_after
    order by 1, 2, 3, 4
$$;
comment on function stratify.diff_people is 'Every difference between two runs, person by person';

-- What the tables are headed by; both runs must be there.
create or replace function stratify.diff_runs(before bigint, after bigint)
returns table (run_id bigint, status text, as_of date, config text, people bigint, shared bigint)
language plpgsql stable as $$
declare
    missing bigint := (select w from unnest(array[before, after]) w
                       where not exists (select from stratify.run r where r.run_id = w) limit 1);
begin
    if missing is not null then
        raise exception 'there is no run %', missing using errcode = 'P0002';
    end if;
    return query
        select r.run_id, r.status, r.as_of, left(r.config_hash, 12), r.people,
            (select count(*) from stratify.person a
             join stratify.person b on b.person_id = a.person_id
             where a.run_id = before and b.run_id = after)
        from stratify.run r
        join unnest(array[before, after]) with ordinality as w (run_id, place)
            on w.run_id = r.run_id
        order by w.place;
end
$$;
comment on function stratify.diff_runs is 'The two runs that are compared, and how many people both have';

revoke execute on function stratify.diff_standing(bigint, bigint),
    stratify.diff_models(bigint, bigint), stratify.diff_bands(bigint, bigint),
    stratify.diff_members(bigint, bigint), stratify.diff_lists(bigint, bigint),
    stratify.diff_people(bigint, bigint), stratify.diff_runs(bigint, bigint) from public;

do $$
declare
    thing text;
begin
    if exists (select from pg_roles where rolname = 'stratify_writer'
                                      and pg_has_role(current_user, oid, 'member')) then
        for thing in
            select p.oid::regprocedure::text
            from pg_proc p
            where p.pronamespace = 'stratify'::regnamespace
              and p.proowner <> 'stratify_writer'::regrole
        loop
            execute format('alter function %s owner to stratify_writer', thing);
        end loop;
    end if;
end
$$;
