-- Two runs compared person by person: what would change if the second took the place of
-- the first? For whoever may read the tables; nobody else is granted anything. Can be
-- applied again. Runs are matched by the names of models and cohorts; the numbers of
-- models, bands and outcomes may differ between them.

-- Before the numbers came from one summary.
drop function if exists stratify.diff_runs(bigint, bigint),
    stratify.diff_models(bigint, bigint), stratify.diff_bands(bigint, bigint);

-- ---- models --------------------------------------------------------------

-- Where each model stands in the rows of either run. is_alike: both runs number its bands
-- and outcomes alike.
create or replace function stratify.diff_place(before bigint, after bigint)
returns table (
    model text, at_before integer, at_after integer, rank_at_before integer,
    rank_at_after integer, bands_before text[], bands_after text[], outcomes_before text[],
    outcomes_after text[], is_alike boolean)
language sql stable as $$
    select
        model,
        a.at,
        b.at,
        a.rank_at,
        b.rank_at,
        a.bands,
        b.bands,
        a.outcomes,
        b.outcomes,
        coalesce(a.outcomes = b.outcomes and a.bands is not distinct from b.bands, false)
    from (select * from stratify.model_place where run_id = before) a
    full join (select * from stratify.model_place where run_id = after) b using (model)
$$;
comment on function stratify.diff_place is 'Places of the models of two runs in the arrays of person';

create or replace function stratify.diff_word(
    band smallint[], outcome smallint[], at integer, bands text[], outcomes text[])
returns text language sql immutable as $$
    select coalesce(bands[band[at] + 1], outcomes[outcome[at] + 1], 'not in the run')
$$;
comment on function stratify.diff_word is 'What a model says of a person: a band, scored, or why there is no score';

-- People are joined first and looked at model by model then: their rows are wide, and
-- this way each is handled once.
create or replace function stratify.diff_standing(before bigint, after bigint)
returns table (
    model text, person_id bigint, practice_code text, standing_before text,
    standing_after text, bands_up integer, score_before double precision,
    score_after double precision, rank_before integer, rank_after integer)
language sql stable as $$
    with place as materialized (select * from stratify.diff_place(before, after))
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
            stratify.diff_word(a.band, a.outcome, m.at_before, m.bands_before,
                               m.outcomes_before) as before,
            stratify.diff_word(b.band, b.outcome, m.at_after, m.bands_after,
                               m.outcomes_after) as after
        ) s
    where a.score[m.at_before] is distinct from b.score[m.at_after]
       or a.rank[m.rank_at_before] is distinct from b.rank[m.rank_at_after]
       or s.before <> s.after
$$;
comment on function stratify.diff_standing is 'People of whom two runs say something else, by model; ranks are those among everyone';

-- All numbers, with people of both runs joined once. Most differ in nothing but ranks:
-- those are looked at in columns written out for the models at hand, since a row for each
-- would cost many times as much. The others have rows by model, and so has everyone by
-- models that the runs do not have alike.
create or replace function stratify.diff_summary(before bigint, after bigint) returns jsonb
language plpgsql stable as $body$
declare
    missing bigint := (select w from unnest(array[before, after]) w
                       where not exists (select from stratify.run r where r.run_id = w) limit 1);
    moves text;   -- by model, how far the rank among everyone moves; null: not at all
    moved text;   -- by model, people whose rank moves, the median and the largest move
    differs text; -- does a model that both runs have alike say something else?
    all_alike boolean;
    all_in_place boolean; -- in the arrays
    summary jsonb;
begin
    if missing is not null then
        raise exception 'there is no run %', missing using errcode = 'P0002';
    end if;
    select bool_and(is_alike), bool_and(at_before = at_after)
    into all_alike, all_in_place
    from stratify.diff_place(before, after);
    select
        string_agg(format('nullif(abs(a.rank[%s] - b.rank[%s]), 0) as move_%s',
                          rank_at_before, rank_at_after, at_before), ', '),
        string_agg(format('|| jsonb_build_object(%L, jsonb_build_array('
                          'count(move_%s), percentile_cont(0.5) within group '
                          '(order by move_%2$s), max(move_%2$s)))', model, at_before), ' '),
        string_agg(format('a.score[%s] is distinct from b.score[%s] or '
                          'a.outcome[%1$s] is distinct from b.outcome[%2$s] or '
                          'a.band[%1$s] is distinct from b.band[%2$s]',
                          at_before, at_after), ' or ') filter (where is_alike)
    into moves, moved, differs
    from stratify.diff_place(before, after)
    where at_before is not null and at_after is not null;
    if all_alike and all_in_place then
        differs := 'a.score <> b.score or a.outcome <> b.outcome or a.band <> b.band';
    end if;
    execute format($sql$
        with place as materialized (
            select * from stratify.diff_place($1, $2)
        ), person as materialized (
            select
                person_id,
                a.person_id = b.person_id as is_shared,
                a.person_id is null or b.person_id is null or %s as is_changed,
                %s
            from (select * from stratify.person where run_id = $1) a
            full join (select * from stratify.person where run_id = $2) b using (person_id)
        ), other as materialized (
            select
                p.is_changed,
                a.score as score_before, b.score as score_after,
                a.outcome as outcome_before, b.outcome as outcome_after,
                a.band as band_before, b.band as band_after,
                a.rank as rank_before, b.rank as rank_after
            from person p
            left join (select * from stratify.person where run_id = $1) a using (person_id)
            left join (select * from stratify.person where run_id = $2) b using (person_id)
            where p.is_changed or not %L
        ), pair as (
            select
                m.model,
                stratify.diff_word(p.band_before, p.outcome_before, m.at_before,
                                   m.bands_before, m.outcomes_before) as was,
                stratify.diff_word(p.band_after, p.outcome_after, m.at_after,
                                   m.bands_after, m.outcomes_after) as becomes,
                p.score_before[m.at_before] is distinct from p.score_after[m.at_after]
                    as is_other_score,
                p.band_after[m.at_after] - p.band_before[m.at_before] as bands_up,
                abs(p.rank_after[m.rank_at_after] - p.rank_before[m.rank_at_before]) as move
            from other p
            join place m on p.is_changed or not m.is_alike
        ), change as (
            select
                model, was, becomes,
                count(*) as people,
                count(*) filter (where is_other_score) as other_score,
                count(*) filter (where bands_up > 0) as up,
                count(*) filter (where bands_up < 0) as down,
                count(*) filter (where coalesce(move, 0) = 0) as rank_stays,
                max(move) as most_move
            from pair
            where is_other_score or was <> becomes
            group by model, was, becomes
        )
        select jsonb_build_object(
            'shared', count(*) filter (where is_shared),
            'moves', '{}'::jsonb %s,
            'changes', (select coalesce(jsonb_agg(to_jsonb(c)), '[]') from change c))
        from person
    $sql$, coalesce(differs, 'false'), coalesce(moves, 'null'), all_alike,
        coalesce(moved, ''))
    using before, after into summary;
    return summary;
end
$body$;
comment on function stratify.diff_summary is 'Two runs in numbers: people in both, moves of ranks, and changes of standing, by model';

create or replace function stratify.diff_models(before bigint, after bigint, summary jsonb)
returns table (
    model text, versions text, people bigint, other_score bigint, other_band bigint,
    up bigint, down bigint, other_rank bigint, middle_move double precision,
    most_move integer)
language sql stable as $$
    select
        model,
        concat_ws(' -> ', coalesce(a.version, '-'),
                  nullif(coalesce(b.version, '-'), coalesce(a.version, '-'))),
        coalesce(r.moved, 0) + coalesce(sum(c.rank_stays), 0)::bigint,
        coalesce(sum(c.other_score), 0)::bigint,
        coalesce(sum(c.people) filter (where c.was <> c.becomes), 0)::bigint,
        coalesce(sum(c.up), 0)::bigint,
        coalesce(sum(c.down), 0)::bigint,
        coalesce(r.moved, 0),
        r.middle,
        greatest(r.most, max(c.most_move))
    from (select * from stratify.run_model where run_id = before) a
    full join (select * from stratify.run_model where run_id = after) b using (model)
    cross join lateral (
        select
            (summary -> 'moves' -> model ->> 0)::bigint as moved,
            (summary -> 'moves' -> model ->> 1)::double precision as middle,
            (summary -> 'moves' -> model ->> 2)::integer as most
        ) r
    left join jsonb_to_recordset(summary -> 'changes') as c (
        model text, was text, becomes text, people bigint, other_score bigint, up bigint,
        down bigint, rank_stays bigint, most_move integer) using (model)
    group by model, a.version, b.version, a.model_no, b.model_no, r.moved, r.middle, r.most
    order by coalesce(b.model_no, a.model_no), model
$$;
comment on function stratify.diff_models is 'How many people each model of two runs says something else of, and how far ranks among everyone move';

create or replace function stratify.diff_bands(summary jsonb)
returns table (model text, standing_before text, standing_after text, people bigint)
language sql stable as $$
    select model, was, becomes, people
    from jsonb_to_recordset(summary -> 'changes') as c (
        model text, was text, becomes text, people bigint)
    where was <> becomes
    order by model, people desc, was, becomes
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
    ), place as materialized (
        select p.*, n.model_no
        from stratify.diff_place(before, after) p
        left join stratify.run_model n on n.run_id = after and n.model = p.model
    ), driver as (
        select distinct on (m.cohort, m.group_code, m.person_id)
            m.cohort,
            m.group_code,
            m.person_id,
            p.model
        from member m
        left join (select * from stratify.person where run_id = before) a using (person_id)
        left join (select * from stratify.person where run_id = after) b using (person_id)
        join place p on m.scores ? p.model
        cross join lateral (
            select
                stratify.diff_word(a.band, a.outcome, p.at_before, p.bands_before,
                                   p.outcomes_before)
                = stratify.diff_word(b.band, b.outcome, p.at_after, p.bands_after,
                                     p.outcomes_after) as is_same_band
            ) s
        where m.change <> 'stays'
          and (not s.is_same_band
               or a.score[p.at_before] is distinct from b.score[p.at_after])
        order by m.cohort, m.group_code, m.person_id, s.is_same_band, p.model_no
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

create or replace function stratify.diff_runs(before bigint, after bigint, summary jsonb)
returns table (run_id bigint, status text, as_of date, config text, people bigint, shared bigint)
language sql stable as $$
    select r.run_id, r.status, r.as_of, left(r.config_hash, 12), r.people,
        (summary ->> 'shared')::bigint
    from stratify.run r
    join unnest(array[before, after]) with ordinality as w (run_id, place)
        on w.run_id = r.run_id
    order by w.place
$$;
comment on function stratify.diff_runs is 'The two runs that are compared, and how many people both have';

revoke execute on function stratify.diff_place(bigint, bigint),
    stratify.diff_word(smallint[], smallint[], integer, text[], text[]),
    stratify.diff_standing(bigint, bigint), stratify.diff_summary(bigint, bigint),
    stratify.diff_runs(bigint, bigint, jsonb), stratify.diff_models(bigint, bigint, jsonb),
    stratify.diff_bands(jsonb), stratify.diff_members(bigint, bigint),
    stratify.diff_lists(bigint, bigint), stratify.diff_people(bigint, bigint) from public;

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
