-- What readers see: the current run, people of one's own area, and public counts. Can
-- be applied again.

-- ---- whose people --------------------------------------------------------

create table if not exists stratify.reader_area (
    reader   name not null,
    grouping text not null,
    code     text not null,
    primary key (reader, grouping, code)
);
comment on table stratify.reader_area is 'Which people a member of stratify_care sees: those of the groups named here';
comment on column stratify.reader_area.reader is 'A login, or a role whose members share the area';
comment on column stratify.reader_area.grouping is 'practice, or a configured grouping (pcn)';
comment on column stratify.reader_area.code is 'Code of the practice or group';

create or replace function stratify.acts_as(reader name)
returns boolean language sql stable as $$
    select coalesce((select pg_has_role(current_user, r.oid, 'member')
                     from pg_roles r where r.rolname = reader), false)
$$;
comment on function stratify.acts_as is 'True if the current user is the reader or a member of that role';

create or replace view stratify.my_practice with (security_invoker = true) as
select distinct p.practice_code
from stratify.current_run c
join stratify.run_practice p on p.run_id = c.run_id
join stratify.reader_area a on a.grouping = p.grouping and a.code = p.group_code;
comment on view stratify.my_practice is 'Practices whose people the current user sees';
comment on column stratify.my_practice.practice_code is 'The practice';

-- The lists a reader sees whole, with those who left: the reader's own groups.
create or replace view stratify.my_list with (security_invoker = true) as
select h.cohort, a.code as group_code
from stratify.current_run c
join stratify.run_cohort h on h.run_id = c.run_id
join stratify.reader_area a on a.grouping = h.grouping;
comment on view stratify.my_list is 'Lists that the current user sees whole';
comment on column stratify.my_list.cohort is 'The cohort';
comment on column stratify.my_list.group_code is 'The group';

do $$
declare
    wanted record;
begin
    for wanted in
        values
            ('reader_area', 'stratify.acts_as(reader)'),
            ('person',
             'run_id = (select run_id from stratify.current_run)
              and practice_code in (select practice_code from stratify.my_practice)'),
            ('cohort_member',
             'run_id = (select run_id from stratify.current_run)
              and (practice_code in (select practice_code from stratify.my_practice)
                   or (cohort, group_code) in (select cohort, group_code from stratify.my_list))')
    loop
        if not exists (select from pg_policies
                       where schemaname = 'stratify' and tablename = wanted.column1) then
            execute format('alter table stratify.%I enable row level security',
                           wanted.column1);
            execute format('create policy own_area on stratify.%I for select using (%s)',
                           wanted.column1, wanted.column2);
        end if;
    end loop;
end
$$;

-- ---- the current run, person by person -----------------------------------

create or replace view stratify.current_person with (security_invoker = true) as
select
    p.person_id,
    p.practice_code,
    p.age,
    s.segment
from stratify.person p
left join stratify.run_segment s on s.run_id = p.run_id and s.segment_no = p.segment_no
where p.run_id = (select run_id from stratify.current_run);
comment on view stratify.current_person is 'People of the current run';
comment on column stratify.current_person.person_id is 'Pseudonym of the person';
comment on column stratify.current_person.practice_code is 'Practice where registered';
comment on column stratify.current_person.age is 'Completed years on the as-of date';
comment on column stratify.current_person.segment is 'Segment';

-- Where the models stand in the arrays of person, and the words for the numbers there:
-- looking a word up costs less than a join for each person.
create or replace view stratify.model_place with (security_invoker = true) as
select
    m.run_id,
    m.model_no,
    m.model,
    m.version,
    m.model_no + 1 as at,
    g.groupings,
    m.model_no * g.groupings + 1 as rank_at,
    b.bands,
    o.outcomes
from stratify.run_model m
cross join lateral (select count(*)::integer as groupings
                    from stratify.run_grouping n where n.run_id = m.run_id) g
cross join lateral (select array_agg(n.band order by n.band_no) as bands
                    from stratify.run_band n
                    where n.run_id = m.run_id and n.model_no = m.model_no) b
cross join lateral (select array_agg(n.outcome order by n.outcome_no) as outcomes
                    from stratify.run_outcome n
                    where n.run_id = m.run_id and n.model_no = m.model_no) o;
comment on view stratify.model_place is 'Places of the models in the arrays of person';
comment on column stratify.model_place.run_id is 'The run';
comment on column stratify.model_place.model_no is 'Number of the model in the run';
comment on column stratify.model_place.model is 'The model';
comment on column stratify.model_place.version is 'Its version';
comment on column stratify.model_place.at is 'Its place in score, outcome and band';
comment on column stratify.model_place.groupings is 'How many groupings the run has';
comment on column stratify.model_place.rank_at is 'Place of its first rank in rank; those of the other groupings follow';
comment on column stratify.model_place.bands is 'Its bands, at band_no + 1';
comment on column stratify.model_place.outcomes is 'Its outcomes, at outcome_no + 1';

create or replace view stratify.current_score with (security_invoker = true) as
select
    m.model,
    m.version,
    p.person_id,
    p.practice_code,
    p.score[m.at] as score,
    m.bands[p.band[m.at] + 1] as band,
    m.outcomes[p.outcome[m.at] + 1] as outcome,
    p.rank[m.rank_at] as rank_all,
    p.rank[m.rank_at + 1] as rank_practice,
    case when m.groupings > 2 then p.rank[m.rank_at + 2] end as rank_1,
    case when m.groupings > 3 then p.rank[m.rank_at + 3] end as rank_2,
    case when m.groupings > 4 then p.rank[m.rank_at + 4] end as rank_3,
    case when m.groupings > 5 then p.rank[m.rank_at + 5] end as rank_4,
    case when m.groupings > 6 then p.rank[m.rank_at + 6] end as rank_5,
    case when m.groupings > 7 then p.rank[m.rank_at + 7] end as rank_6,
    (array['clamped', 'imputed', 'clamped and imputed'])[p.flag[m.at]] as flag
from stratify.person p
join stratify.model_place m on m.run_id = p.run_id
where p.run_id = (select run_id from stratify.current_run);
comment on view stratify.current_score is 'Scores of the current run';
comment on column stratify.current_score.model is 'The model';
comment on column stratify.current_score.version is 'Its version';
comment on column stratify.current_score.person_id is 'Pseudonym of the person';
comment on column stratify.current_score.practice_code is 'Practice where registered';
comment on column stratify.current_score.score is 'The score; null where there is none';
comment on column stratify.current_score.band is 'Its band';
comment on column stratify.current_score.outcome is 'scored, or why not';
comment on column stratify.current_score.rank_all is 'Rank among everyone scored; 1 is the highest score';
comment on column stratify.current_score.rank_practice is 'Rank within the practice';
comment on column stratify.current_score.rank_1 is 'Rank in the first configured grouping: see current_rank for names';
comment on column stratify.current_score.rank_2 is 'Rank in the second configured grouping';
comment on column stratify.current_score.rank_3 is 'Rank in the third configured grouping';
comment on column stratify.current_score.rank_4 is 'Rank in the fourth configured grouping';
comment on column stratify.current_score.rank_5 is 'Rank in the fifth configured grouping';
comment on column stratify.current_score.rank_6 is 'Rank in the sixth configured grouping';
comment on column stratify.current_score.flag is 'clamped: an input was out of range and counts as the nearest end; imputed: one had no value and a declared one stands in; null where neither';

create or replace view stratify.current_rank with (security_invoker = true) as
select
    m.model,
    p.person_id,
    g.grouping,
    n.group_code,
    p.rank[m.rank_at + g.grouping_no] as rank
from stratify.person p
join stratify.model_place m on m.run_id = p.run_id
join stratify.run_grouping g on g.run_id = p.run_id
join stratify.run_practice n
    on n.run_id = p.run_id and n.practice_code = p.practice_code and n.grouping = g.grouping
where p.run_id = (select run_id from stratify.current_run)
  and p.score[m.at] is not null;
comment on view stratify.current_rank is 'Ranks of the current run, one row for each model, person and grouping';
comment on column stratify.current_rank.model is 'The model';
comment on column stratify.current_rank.person_id is 'Pseudonym of the person';
comment on column stratify.current_rank.grouping is 'The grouping';
comment on column stratify.current_rank.group_code is 'Group of the person there';
comment on column stratify.current_rank.rank is 'Rank within the group; null where in none';

create or replace view stratify.current_cohort_member with (security_invoker = true) as
select
    c.cohort,
    c.grouping,
    m.group_code,
    g.name as group_name,
    m.rank,
    m.person_id,
    m.movement,
    m.left_reason,
    m.practice_code,
    m.age,
    s.segment,
    m.scores,
    m.reasons,
    m.explanation
from stratify.cohort_member m
join stratify.run_cohort c on c.run_id = m.run_id and c.cohort = m.cohort
left join stratify.run_group g
    on g.run_id = m.run_id and g.grouping = c.grouping and g.code = m.group_code
left join stratify.run_segment s on s.run_id = m.run_id and s.segment_no = m.segment_no
where m.run_id = (select run_id from stratify.current_run);
comment on view stratify.current_cohort_member is 'Lists of the current run';
comment on column stratify.current_cohort_member.cohort is 'The cohort';
comment on column stratify.current_cohort_member.grouping is 'One list for each group of this grouping';
comment on column stratify.current_cohort_member.group_code is 'Group whose list this is';
comment on column stratify.current_cohort_member.group_name is 'Its name';
comment on column stratify.current_cohort_member.rank is 'Place on the list; 0 for those who left';
comment on column stratify.current_cohort_member.person_id is 'Pseudonym of the person';
comment on column stratify.current_cohort_member.movement is 'new, continuing or left';
comment on column stratify.current_cohort_member.left_reason is 'Why a leaver left';
comment on column stratify.current_cohort_member.practice_code is 'Practice where registered';
comment on column stratify.current_cohort_member.age is 'Completed years on the as-of date';
comment on column stratify.current_cohort_member.segment is 'Segment';
comment on column stratify.current_cohort_member.scores is 'Score, band and flag of the models that the list shows';
comment on column stratify.current_cohort_member.reasons is 'What made the score high, in plain words';
comment on column stratify.current_cohort_member.explanation is 'The same for each model, with values and contributions: see current_reason';

create or replace view stratify.current_reason with (security_invoker = true) as
select
    m.cohort,
    m.group_code,
    m.person_id,
    r.model,
    row_number() over (partition by m.cohort, m.group_code, m.person_id, r.model order by r.place)
        as reason_no,
    r.feature,
    r.label,
    r.value #>> '{}' as value,
    r.contribution,
    r.latest
from stratify.current_cohort_member m
cross join rows from (
    jsonb_to_recordset(m.explanation) as (
        model text, feature text, label text, value jsonb, contribution float8, latest date)
) with ordinality as r (model, feature, label, value, contribution, latest, place);
comment on view stratify.current_reason is 'Why people are on the lists of the current run: what raised each score most';
comment on column stratify.current_reason.cohort is 'The cohort';
comment on column stratify.current_reason.group_code is 'Group whose list this is';
comment on column stratify.current_reason.person_id is 'Pseudonym of the person';
comment on column stratify.current_reason.model is 'Model whose score it raised';
comment on column stratify.current_reason.reason_no is 'Order, 1 raised the score most';
comment on column stratify.current_reason.feature is 'What was counted';
comment on column stratify.current_reason.label is 'The same in plain words';
comment on column stratify.current_reason.value is 'What it came to; null where nothing is recorded';
comment on column stratify.current_reason.contribution is 'What that added to the score, in its own units';
comment on column stratify.current_reason.latest is 'Day of the latest event behind it; null where there is none or it is not known';

create or replace view stratify.current_list with (security_invoker = true) as
select
    m.cohort,
    m.group_code,
    nullif(m.rank, 0) as rank,
    m.person_id,
    m.age,
    m.practice_code,
    n.label as segment,
    case when m.movement = 'left' then 'left: ' || m.left_reason else m.movement end as moved,
    (select string_agg(
                concat_ws(' ',
                    r.model,
                    coalesce(round((s.value ->> 'score')::numeric, r.decimals)::text, '-'),
                    b.label,
                    case when r.is_illustrative then '~' end,
                    case when s.value ? 'flag' then '*' end),
                E'\n' order by r.model_no)
     from jsonb_each(m.scores) s
     join stratify.run_model r on r.run_id = c.run_id and r.model = s.key
     left join stratify.run_band b
         on b.run_id = r.run_id and b.model_no = r.model_no and b.band = s.value ->> 'band'
    ) as scores,
    array_to_string(m.reasons, E'\n') as reasons
from stratify.current_cohort_member m
cross join stratify.current_run c
left join stratify.run_segment n on n.run_id = c.run_id and n.segment = m.segment;
comment on view stratify.current_list is 'Lists of the current run as a person reads them';
comment on column stratify.current_list.cohort is 'The cohort';
comment on column stratify.current_list.group_code is 'Group whose list this is';
comment on column stratify.current_list.rank is 'Place on the list; null for those who left';
comment on column stratify.current_list.person_id is 'Pseudonym of the person';
comment on column stratify.current_list.age is 'Completed years on the as-of date';
comment on column stratify.current_list.practice_code is 'Practice where registered';
comment on column stratify.current_list.segment is 'Segment in plain words';
comment on column stratify.current_list.moved is 'new, continuing, or left and why';
comment on column stratify.current_list.scores is 'Score and band of each model shown, one on a line; ~ behind an illustrative one, * where an input was clamped or imputed';
comment on column stratify.current_list.reasons is 'What made the score high, one on a line';

-- ---- counts and the course of runs, for everyone who may read ------------

create or replace view stratify.public_count as
select
    n.measure,
    n.item,
    n.part,
    n.grouping,
    n.group_code,
    g.name as group_name,
    n.people,
    n.is_hidden,
    n.count_no,
    coalesce(s.label, b.label, n.part) as label
from stratify.run_public_count n
left join stratify.run_group g
    on g.run_id = n.run_id and g.grouping = n.grouping and g.code = n.group_code
left join stratify.run_segment s
    on s.run_id = n.run_id and s.segment = n.part and n.measure = 'segment'
left join stratify.run_model m
    on m.run_id = n.run_id and m.model = n.item and n.measure = 'model'
left join stratify.run_band b
    on b.run_id = m.run_id and b.model_no = m.model_no and b.band = n.part
where n.run_id = (select run_id from stratify.current_run)
order by n.count_no;
comment on view stratify.public_count is 'Counts of the current run under disclosure control';
comment on column stratify.public_count.measure is 'registered, model, segment, cohort or excluded';
comment on column stratify.public_count.item is 'The model or cohort';
comment on column stratify.public_count.part is 'Band, outcome, segment, or reason; empty for a total';
comment on column stratify.public_count.grouping is 'The grouping of registered people';
comment on column stratify.public_count.group_code is 'The group; empty: in none';
comment on column stratify.public_count.group_name is 'Its name';
comment on column stratify.public_count.people is 'People, rounded to 5; null where hidden';
comment on column stratify.public_count.is_hidden is 'True where fewer than 8 people, but not none';
comment on column stratify.public_count.count_no is 'Order of the rows';
comment on column stratify.public_count.label is 'The part in plain words';

create or replace view stratify.public_run as
select
    r.run_id,
    r.status,
    r.run_id is not distinct from (select run_id from stratify.current_run) as is_current,
    r.title,
    r.purpose,
    r.as_of,
    r.config_hash,
    r.program_version,
    r.started_at,
    r.published_at
from stratify.run r
where r.status = 'published' or has_table_privilege(current_user, 'stratify.run', 'select');
comment on view stratify.public_run is 'Published runs that are kept; shadow runs too for those who may read the tables';
comment on column stratify.public_run.run_id is 'Number of the run';
comment on column stratify.public_run.status is 'published or shadow';
comment on column stratify.public_run.is_current is 'True for the run that readers see';
comment on column stratify.public_run.title is 'Title of the config';
comment on column stratify.public_run.purpose is 'Purpose of the run';
comment on column stratify.public_run.as_of is 'The run sees the world as known at the start of this day';
comment on column stratify.public_run.config_hash is 'SHA-256 over the config and its code lists';
comment on column stratify.public_run.program_version is 'Version of the program';
comment on column stratify.public_run.started_at is 'When the run started';
comment on column stratify.public_run.published_at is 'When its results became visible';

create or replace view stratify.public_model as
select
    m.model,
    m.version,
    m.title,
    m.kind,
    m.source,
    m.licence,
    m.outcome,
    m.horizon,
    m.is_illustrative,
    case when m.scored >= 8 then m.mean_score end as mean_score
from stratify.run_model m
where m.run_id = (select run_id from stratify.current_run);
comment on view stratify.public_model is 'Models of the current run';
comment on column stratify.public_model.model is 'Name of the model';
comment on column stratify.public_model.version is 'Its version';
comment on column stratify.public_model.title is 'Title';
comment on column stratify.public_model.kind is 'Arithmetic';
comment on column stratify.public_model.source is 'Publication that it comes from';
comment on column stratify.public_model.licence is 'Its licence';
comment on column stratify.public_model.outcome is 'What a probability predicts';
comment on column stratify.public_model.horizon is 'How far ahead';
comment on column stratify.public_model.is_illustrative is 'True: fitted on made-up people, never for care';
comment on column stratify.public_model.mean_score is 'Mean score; null where fewer than 8 people are scored';

create or replace view stratify.public_gate as
select
    n.gate_no,
    n.gate,
    n.subject,
    n.value,
    n."limit",
    n.severity,
    n.state
from stratify.run_gate n
where n.run_id = (select run_id from stratify.current_run);
comment on view stratify.public_gate is 'Quality gates of the current run';
comment on column stratify.public_gate.gate_no is 'Order of the checks';
comment on column stratify.public_gate.gate is 'The gate';
comment on column stratify.public_gate.subject is 'Source, list or model that was checked';
comment on column stratify.public_gate.value is 'What was found';
comment on column stratify.public_gate."limit" is 'Largest value that passes';
comment on column stratify.public_gate.severity is 'What a larger value does';
comment on column stratify.public_gate.state is 'pass, warn or not compared';

-- ---- rights --------------------------------------------------------------

revoke execute on all functions in schema stratify from public;
grant execute on function stratify.acts_as(name) to public;

do $$
declare
    thing record;
begin
    if exists (select from pg_roles where rolname = 'stratify_reader') then
        grant usage on schema stratify to stratify_reader;
        grant select on stratify.public_count, stratify.public_run, stratify.public_model,
            stratify.public_gate to stratify_reader;
    end if;
    if exists (select from pg_roles where rolname = 'stratify_care') then
        grant usage on schema stratify to stratify_care;
        grant select on stratify.person, stratify.cohort_member,
            stratify.current_run, stratify.reader_area,
            stratify.run_band, stratify.run_outcome, stratify.run_grouping,
            stratify.run_practice, stratify.run_segment, stratify.my_practice,
            stratify.my_list, stratify.current_person, stratify.model_place, stratify.current_score,
            stratify.current_rank, stratify.current_cohort_member, stratify.current_list,
            stratify.current_reason,
            stratify.public_count, stratify.public_run, stratify.public_model, stratify.public_gate
            to stratify_care;
        -- Not how many people have a score or a flag, and no mean: those are of the whole
        -- area and exact. Earlier versions granted all columns.
        revoke select on stratify.run_model from stratify_care;
        grant select (run_id, model_no, model, version, title, kind, source, licence, outcome,
                      horizon, is_illustrative, decimals)
            on stratify.run_model to stratify_care;
        grant select (run_id, cohort_no, cohort, title, service, grouping)
            on stratify.run_cohort to stratify_care;
        grant select (run_id, grouping, code, name) on stratify.run_group to stratify_care;
    end if;
    if not exists (select from pg_roles
                   where rolname = 'stratify_writer'
                     and pg_has_role(current_user, oid, 'member')) then
        return; -- runs are made by whoever applied this
    end if;
    grant usage, create on schema stratify to stratify_writer;
    for thing in
        select c.oid::regclass::text as name
        from pg_class c
        where c.relnamespace = 'stratify'::regnamespace
          and c.relkind in ('r', 'p', 'v')
          and c.relowner <> 'stratify_writer'::regrole
    loop
        execute format('alter table %s owner to stratify_writer', thing.name);
    end loop;
    for thing in
        select p.oid::regprocedure::text as name
        from pg_proc p
        where p.pronamespace = 'stratify'::regnamespace
          and p.proowner <> 'stratify_writer'::regrole
    loop
        execute format('alter function %s owner to stratify_writer', thing.name);
    end loop;
end
$$;
