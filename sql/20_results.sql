-- The results of runs, schema stratify. Can be applied again.
--
-- Every row leads to its run. What concerns people (person, cohort_member) is
-- partitioned by run, and person by ranges of people within it: a run fills tables of
-- its own, which become partitions in the transaction that publishes it. What is known
-- of a run (run_...) is written by that transaction only, and published rows never
-- change: triggers of 30_publish.sql see to both, at a fraction of the cost of foreign
-- keys.
--
-- All models' results of a person stand in one row, in arrays by the number of the
-- model: a night writes millions of ranks, and a row and a key for each model would cost
-- more than what they hold. current_score and current_rank of 40_read.sql show them as
-- rows.

create schema if not exists stratify;
comment on schema stratify is
    'Results of population stratification. Readers take the current_ and public_ views';

-- ---- the run -------------------------------------------------------------

create table if not exists stratify.run (
    run_id          bigint generated always as identity primary key,
    status          text not null check (status in ('published', 'shadow')),
    title           text,
    purpose         text,
    as_of           date not null,
    people          bigint not null,
    known           bigint not null,
    config_hash     text not null,
    program_version text not null,
    snapshot        text,
    started_by      text not null,
    started_at      timestamptz not null,
    published_at    timestamptz not null default now()
);
comment on table stratify.run is 'One run of the engine, whole; rows never change';
comment on column stratify.run.run_id is 'Number of the run, ascending in time; numbers of failed runs are not used again';
comment on column stratify.run.status is 'published: is or was the current run; shadow: kept beside it for comparison, never current';
comment on column stratify.run.title is 'Title of the config';
comment on column stratify.run.purpose is 'Purpose of the run, one that every source used allows';
comment on column stratify.run.as_of is 'The run sees the world as known at the start of this day';
comment on column stratify.run.people is 'People in the run';
comment on column stratify.run.known is 'People in the people source: those in the run and those excluded';
comment on column stratify.run.config_hash is 'SHA-256 over the config and its code lists';
comment on column stratify.run.program_version is 'Version of the program';
comment on column stratify.run.snapshot is 'Database snapshot that every row was read in; where an extract was read, "extract" and the snapshot that it was made in; null where no database was read';
comment on column stratify.run.started_by is 'Account that the run was started under, on its machine';
comment on column stratify.run.started_at is 'When the run started';
comment on column stratify.run.published_at is 'When its results became visible';

create table if not exists stratify.current_run (
    is_only  boolean primary key default true check (is_only),
    run_id   bigint not null references stratify.run (run_id)
);
comment on table stratify.current_run is 'The one pointer to the run that readers see; moved by stratify.publish()';
comment on column stratify.current_run.is_only is 'Always true: the table has at most one row';
comment on column stratify.current_run.run_id is 'The current run';

create table if not exists stratify.run_switch (
    switch_id   bigint generated always as identity primary key,
    run_id      bigint not null,
    previous_id bigint,
    switched_at timestamptz not null default now(),
    switched_by text not null default session_user
);
comment on table stratify.run_switch is 'Every move of the pointer, also back to an earlier run';
comment on column stratify.run_switch.switch_id is 'Number of the move';
comment on column stratify.run_switch.run_id is 'Run that became current';
comment on column stratify.run_switch.previous_id is 'Run that was current before; null at first';
comment on column stratify.run_switch.switched_at is 'When';
comment on column stratify.run_switch.switched_by is 'By whom';

create table if not exists stratify.run_stage (
    run_id       bigint not null,
    stage_no     smallint not null,
    stage        text not null,
    wall_seconds double precision not null,
    cpu_seconds  double precision not null,
    rows         bigint not null,
    bytes        bigint not null,
    peak_bytes   bigint not null,
    server_cpu_seconds double precision,
    primary key (run_id, stage_no)
);
alter table stratify.run_stage add column if not exists server_cpu_seconds double precision;
comment on table stratify.run_stage is 'How long each stage of a run took; differs between runs on the same data';
comment on column stratify.run_stage.run_id is 'The run';
comment on column stratify.run_stage.stage_no is 'Order of the stages';
comment on column stratify.run_stage.stage is 'Stage of the run';
comment on column stratify.run_stage.wall_seconds is 'Seconds by the clock';
comment on column stratify.run_stage.cpu_seconds is 'Seconds of processor time of the program, without the server';
comment on column stratify.run_stage.rows is 'Rows or people handled';
comment on column stratify.run_stage.bytes is 'Bytes read or written';
comment on column stratify.run_stage.peak_bytes is 'Largest memory of the program so far';
comment on column stratify.run_stage.server_cpu_seconds is 'Seconds of processor time of the server on the sessions of the program; null where it runs elsewhere';

create table if not exists stratify.run_source (
    run_id    bigint not null,
    source_no smallint not null,
    source    text not null,
    role      text not null,
    rows      bigint not null,
    newest    date,
    bytes     bigint,
    seconds   double precision,
    primary key (run_id, source_no)
);
comment on table stratify.run_source is 'What was read from each source';
comment on column stratify.run_source.run_id is 'The run';
comment on column stratify.run_source.source_no is 'Order of the source in the config';
comment on column stratify.run_source.source is 'Name of the source in the config';
comment on column stratify.run_source.role is 'What its rows are: people, registrations, practices, opt-outs or events';
comment on column stratify.run_source.rows is 'Rows read';
comment on column stratify.run_source.newest is 'Day of the newest row before the as-of date';
comment on column stratify.run_source.bytes is 'Bytes received';
comment on column stratify.run_source.seconds is 'Seconds of reading, summed over sessions';

create table if not exists stratify.run_source_fate (
    run_id    bigint not null,
    source    text not null,
    fate_no   smallint not null,
    fate      text not null,
    is_reject boolean not null,
    rows      bigint not null,
    primary key (run_id, source, fate_no)
);
comment on table stratify.run_source_fate is 'What became of the rows of each source: each row has one fate, and fates add up to the rows read';
comment on column stratify.run_source_fate.run_id is 'The run';
comment on column stratify.run_source_fate.source is 'Name of the source';
comment on column stratify.run_source_fate.fate_no is 'Order of the fates';
comment on column stratify.run_source_fate.fate is 'kept, or why the row was not used';
comment on column stratify.run_source_fate.is_reject is 'True where the row breaks the contract of the source';
comment on column stratify.run_source_fate.rows is 'Rows';

create table if not exists stratify.run_exclusion (
    run_id       bigint not null,
    exclusion_no smallint not null,
    reason       text not null,
    people       bigint not null,
    primary key (run_id, exclusion_no)
);
comment on table stratify.run_exclusion is 'Why people of the people source are not in the run: one reason each';
comment on column stratify.run_exclusion.run_id is 'The run';
comment on column stratify.run_exclusion.exclusion_no is 'Order in which reasons are tried';
comment on column stratify.run_exclusion.reason is 'The reason';
comment on column stratify.run_exclusion.people is 'People';

create table if not exists stratify.run_list (
    run_id      bigint not null,
    list        text not null,
    version     text,
    title       text,
    source      text,
    terminology text,
    licence     text,
    entries     integer not null,
    rows        bigint not null,
    primary key (run_id, list)
);
comment on table stratify.run_list is 'Code lists of a run and how many rows they matched';
comment on column stratify.run_list.run_id is 'The run';
comment on column stratify.run_list.list is 'Name of the list in the config';
comment on column stratify.run_list.version is 'Its version';
comment on column stratify.run_list.title is 'Its title';
comment on column stratify.run_list.source is 'Where it was published';
comment on column stratify.run_list.terminology is 'Terminology and release';
comment on column stratify.run_list.licence is 'Its licence';
comment on column stratify.run_list.entries is 'Codes and prefixes in it';
comment on column stratify.run_list.rows is 'Rows of all sources that it matched';

create table if not exists stratify.run_gate (
    run_id   bigint not null,
    gate_no  smallint not null,
    gate     text not null,
    subject  text not null,
    value    double precision,
    "limit"  double precision not null,
    severity text not null check (severity in ('warn', 'stop')),
    state    text not null check (state in ('pass', 'warn', 'stop', 'not compared')),
    primary key (run_id, gate_no)
);
comment on table stratify.run_gate is 'Quality gates and what they found before publishing';
comment on column stratify.run_gate.run_id is 'The run';
comment on column stratify.run_gate.gate_no is 'Order of the checks';
comment on column stratify.run_gate.gate is 'fresh, rows_change, population_change, rejected, list_change, missing_practices or score_drift';
comment on column stratify.run_gate.subject is 'Source, list or model that was checked; empty for the whole run';
comment on column stratify.run_gate.value is 'What was found: days, a share, or a number of practices; null where there was nothing to compare with';
comment on column stratify.run_gate."limit" is 'Largest value that passes';
comment on column stratify.run_gate.severity is 'What a larger value does: warn, or stop the run';
comment on column stratify.run_gate.state is 'pass, warn, stop, or not compared';

-- ---- models --------------------------------------------------------------

create table if not exists stratify.run_model (
    run_id          bigint not null,
    model_no        smallint not null,
    model           text not null,
    version         text not null,
    title           text,
    kind            text not null,
    source          text,
    licence         text,
    outcome         text,
    horizon         text,
    is_illustrative boolean not null,
    decimals        smallint not null,
    scored          bigint not null,
    mean_score      double precision,
    clamped         bigint not null default 0,
    imputed         bigint not null default 0,
    primary key (run_id, model_no)
);
alter table stratify.run_model -- results of earlier versions had no flags
    add column if not exists clamped bigint not null default 0,
    add column if not exists imputed bigint not null default 0;
comment on table stratify.run_model is 'Models of a run';
comment on column stratify.run_model.run_id is 'The run';
comment on column stratify.run_model.model_no is 'Number of the model in the run';
comment on column stratify.run_model.model is 'Name of the model in the config';
comment on column stratify.run_model.version is 'Version of the model; a version never changes in place';
comment on column stratify.run_model.title is 'Title';
comment on column stratify.run_model.kind is 'Arithmetic: index, points, regression or trees';
comment on column stratify.run_model.source is 'Publication that it comes from';
comment on column stratify.run_model.licence is 'Its licence';
comment on column stratify.run_model.outcome is 'What a probability predicts';
comment on column stratify.run_model.horizon is 'How far ahead';
comment on column stratify.run_model.is_illustrative is 'True: fitted on made-up people, never for care';
comment on column stratify.run_model.decimals is 'Digits after the point where a person reads the score';
comment on column stratify.run_model.scored is 'People with a score';
comment on column stratify.run_model.mean_score is 'Their mean score; null without any';
comment on column stratify.run_model.clamped is 'People whose score has the flag clamped; among those scored';
comment on column stratify.run_model.imputed is 'People whose score has the flag imputed; among those scored';

create table if not exists stratify.run_input (
    run_id        bigint not null,
    model_no      smallint not null,
    input_no      smallint not null,
    input         text not null,
    clamped_below bigint not null,
    clamped_above bigint not null,
    imputed       bigint not null,
    primary key (run_id, model_no, input_no)
);
comment on table stratify.run_input is 'Inputs that the policies of a model may replace, and for how many people with a score they did. Exact: not for publication';
comment on column stratify.run_input.run_id is 'The run';
comment on column stratify.run_input.model_no is 'The model';
comment on column stratify.run_input.input_no is 'Order of such inputs in the model';
comment on column stratify.run_input.input is 'The input in plain words';
comment on column stratify.run_input.clamped_below is 'People whose value was below the range of the model and counts as its lower end';
comment on column stratify.run_input.clamped_above is 'People whose value was above it and counts as its upper end';
comment on column stratify.run_input.imputed is 'People without a value, for whom a declared one stands in';

create table if not exists stratify.run_band (
    run_id   bigint not null,
    model_no smallint not null,
    band_no  smallint not null,
    band     text not null,
    label    text,
    meaning  text,
    upto     double precision,
    below    double precision,
    share    double precision,
    primary key (run_id, model_no, band_no)
);
comment on table stratify.run_band is 'Bands of the models, in ascending order of risk';
comment on column stratify.run_band.run_id is 'The run';
comment on column stratify.run_band.model_no is 'The model';
comment on column stratify.run_band.band_no is 'Number of the band, from 0';
comment on column stratify.run_band.band is 'Name of the band in the config';
comment on column stratify.run_band.label is 'In plain words';
comment on column stratify.run_band.meaning is 'What it suggests to do';
comment on column stratify.run_band.upto is 'Largest score of the band, where the bound is part of it';
comment on column stratify.run_band.below is 'Bound that scores of the band stay below';
comment on column stratify.run_band.share is 'Bands by rank: top share of everyone scored';

create table if not exists stratify.run_outcome (
    run_id         bigint not null,
    model_no       smallint not null,
    outcome_no     smallint not null,
    outcome        text not null,
    is_eligibility boolean not null,
    primary key (run_id, model_no, outcome_no)
);
comment on table stratify.run_outcome is 'What a model can say of a person: scored (0), not applicable, or could not be scored, and why';
comment on column stratify.run_outcome.run_id is 'The run';
comment on column stratify.run_outcome.model_no is 'The model';
comment on column stratify.run_outcome.outcome_no is 'Number of the outcome; 0 is scored';
comment on column stratify.run_outcome.outcome is 'scored, or the reason why not';
comment on column stratify.run_outcome.is_eligibility is 'True: the model is not for this person; false: it could not be computed';

-- ---- groups --------------------------------------------------------------

create table if not exists stratify.run_grouping (
    run_id      bigint not null,
    grouping_no smallint not null,
    grouping    text not null,
    title       text,
    primary key (run_id, grouping_no),
    unique (run_id, grouping)
);
comment on table stratify.run_grouping is 'Groupings of registered people: 0 all, 1 practice, then as configured (PCN, locality)';
comment on column stratify.run_grouping.run_id is 'The run';
comment on column stratify.run_grouping.grouping_no is 'Number of the grouping, from 0: its place in person.rank';
comment on column stratify.run_grouping.grouping is 'Name in the config';
comment on column stratify.run_grouping.title is 'In plain words';

create table if not exists stratify.run_group (
    run_id   bigint not null,
    grouping text not null,
    code     text not null,
    name     text,
    people   bigint not null,
    primary key (run_id, grouping, code)
);
comment on table stratify.run_group is 'Groups of each grouping; the empty code stands for people in none of them';
comment on column stratify.run_group.run_id is 'The run';
comment on column stratify.run_group.grouping is 'The grouping';
comment on column stratify.run_group.code is 'Code of the group; empty: in none';
comment on column stratify.run_group.name is 'Name of the group';
comment on column stratify.run_group.people is 'Registered people of the run';

create table if not exists stratify.run_practice (
    run_id        bigint not null,
    practice_code text not null,
    grouping      text not null,
    group_code    text not null,
    primary key (run_id, practice_code, grouping)
);
comment on table stratify.run_practice is 'Which groups a practice belonged to at the time of the run';
comment on column stratify.run_practice.run_id is 'The run';
comment on column stratify.run_practice.practice_code is 'The practice';
comment on column stratify.run_practice.grouping is 'The grouping';
comment on column stratify.run_practice.group_code is 'Its group there; empty: in none';

create table if not exists stratify.run_segment (
    run_id     bigint not null,
    segment_no smallint not null,
    segment    text not null,
    label      text,
    primary key (run_id, segment_no)
);
comment on table stratify.run_segment is 'Segments: every person is in exactly one';
comment on column stratify.run_segment.run_id is 'The run';
comment on column stratify.run_segment.segment_no is 'Order in which the rules are tried; the last takes everyone else';
comment on column stratify.run_segment.segment is 'Name in the config';
comment on column stratify.run_segment.label is 'In plain words';

create table if not exists stratify.run_cohort (
    run_id         bigint not null,
    cohort_no      smallint not null,
    cohort         text not null,
    title          text,
    service        text,
    grouping       text not null,
    capacity       integer,
    capacity_share double precision,
    keep           integer,
    keep_share     double precision,
    members        bigint not null,
    primary key (run_id, cohort_no),
    unique (run_id, cohort)
);
comment on table stratify.run_cohort is 'Cohorts of a run: lists of people for a service';
comment on column stratify.run_cohort.run_id is 'The run';
comment on column stratify.run_cohort.cohort_no is 'Order in the config';
comment on column stratify.run_cohort.cohort is 'Name in the config';
comment on column stratify.run_cohort.title is 'Title';
comment on column stratify.run_cohort.service is 'Service that works with the list';
comment on column stratify.run_cohort.grouping is 'One list for each group of this grouping';
comment on column stratify.run_cohort.capacity is 'Places on each list; null where there is no number';
comment on column stratify.run_cohort.capacity_share is 'Places as a share of the registered people of the group';
comment on column stratify.run_cohort.keep is 'A continuing member stays while ranked within this';
comment on column stratify.run_cohort.keep_share is 'The same as a share of the registered people of the group';
comment on column stratify.run_cohort.members is 'Members on all its lists';

-- ---- counts --------------------------------------------------------------

create table if not exists stratify.run_count (
    run_id     bigint not null,
    model_no   smallint not null,
    grouping   text not null,
    group_code text not null,
    outcome_no smallint not null,
    band_no    smallint not null,
    people     bigint not null,
    primary key (run_id, model_no, grouping, group_code, outcome_no, band_no)
);
comment on table stratify.run_count is 'People by model, group, outcome and band: for each model and grouping the rows add up to the people of the run. Exact: not for publication';
comment on column stratify.run_count.run_id is 'The run';
comment on column stratify.run_count.model_no is 'The model';
comment on column stratify.run_count.grouping is 'The grouping';
comment on column stratify.run_count.group_code is 'The group; empty: in none';
comment on column stratify.run_count.outcome_no is 'Scored (0), or why not: run_outcome';
comment on column stratify.run_count.band_no is 'Band of those scored; -1 for all others';
comment on column stratify.run_count.people is 'People';

create table if not exists stratify.run_segment_count (
    run_id     bigint not null,
    segment_no smallint not null,
    grouping   text not null,
    group_code text not null,
    people     bigint not null,
    primary key (run_id, segment_no, grouping, group_code)
);
comment on table stratify.run_segment_count is 'People by segment and group. Exact: not for publication';
comment on column stratify.run_segment_count.run_id is 'The run';
comment on column stratify.run_segment_count.segment_no is 'The segment';
comment on column stratify.run_segment_count.grouping is 'The grouping';
comment on column stratify.run_segment_count.group_code is 'The group; empty: in none';
comment on column stratify.run_segment_count.people is 'People';

create table if not exists stratify.run_cohort_count (
    run_id     bigint not null,
    cohort     text not null,
    group_code text not null,
    registered bigint not null,
    eligible   bigint not null,
    members    bigint not null,
    new        bigint not null,
    continuing bigint not null,
    leavers    bigint not null,
    primary key (run_id, cohort, group_code)
);
comment on table stratify.run_cohort_count is 'Each list of a cohort in numbers. Exact: not for publication';
comment on column stratify.run_cohort_count.run_id is 'The run';
comment on column stratify.run_cohort_count.cohort is 'The cohort';
comment on column stratify.run_cohort_count.group_code is 'The group; empty: people in none, who are on no list, and leavers of groups that are no more';
comment on column stratify.run_cohort_count.registered is 'Registered people of the group';
comment on column stratify.run_cohort_count.eligible is 'People who meet the rule of the cohort';
comment on column stratify.run_cohort_count.members is 'Members of the list: new and continuing';
comment on column stratify.run_cohort_count.new is 'Members who were not on the last published list';
comment on column stratify.run_cohort_count.continuing is 'Members who were';
comment on column stratify.run_cohort_count.leavers is 'People of the last published list who are no longer members';

create table if not exists stratify.run_public_count (
    run_id     bigint not null,
    count_no   integer not null,
    measure    text not null,
    item       text not null,
    part       text not null,
    grouping   text not null,
    group_code text not null,
    people     bigint check (people % 5 = 0 and people <> 5),
    is_hidden  boolean not null,
    primary key (run_id, count_no),
    check ((people is null) = is_hidden)
);
comment on table stratify.run_public_count is 'Counts under disclosure control: 1 to 7 are hidden, others rounded to the nearest 5 after adding up';
comment on column stratify.run_public_count.run_id is 'The run';
comment on column stratify.run_public_count.count_no is 'Order of the rows';
comment on column stratify.run_public_count.measure is 'registered, model, segment, cohort or excluded';
comment on column stratify.run_public_count.item is 'The model or cohort; empty for others';
comment on column stratify.run_public_count.part is 'Band, outcome, segment, or reason; empty for a total';
comment on column stratify.run_public_count.grouping is 'The grouping of registered people';
comment on column stratify.run_public_count.group_code is 'The group; empty: in none';
comment on column stratify.run_public_count.people is 'People, rounded to 5; null where hidden';
comment on column stratify.run_public_count.is_hidden is 'True where fewer than 8 people, but not none';

-- ---- people --------------------------------------------------------------

create table if not exists stratify.person (
    run_id        bigint not null,
    person_id     bigint not null,
    practice_code text not null,
    age           smallint not null,
    segment_no    smallint,
    score         double precision[] not null,
    outcome       smallint[] not null,
    band          smallint[] not null,
    rank          integer[] not null,
    flag          smallint[],
    primary key (run_id, person_id)
) partition by list (run_id);
alter table stratify.person add column if not exists flag smallint[];
comment on table stratify.person is
    'People of a run, by pseudonym, and what each model says of them';
comment on column stratify.person.run_id is 'The run';
comment on column stratify.person.person_id is 'Pseudonym of the person';
comment on column stratify.person.practice_code is 'Practice where registered on the as-of date';
comment on column stratify.person.age is 'Completed years on the as-of date';
comment on column stratify.person.segment_no is 'Segment; null where the config has none';
comment on column stratify.person.score is 'Score of each model, at model_no + 1; null where there is none';
comment on column stratify.person.outcome is 'Scored (0), or why not, at model_no + 1: run_outcome';
comment on column stratify.person.band is 'Band of each score, at model_no + 1: run_band; null where there is none';
comment on column stratify.person.flag is 'What the policies of each model did to its inputs, at model_no + 1: 0 nothing, 1 clamped, 2 imputed, 3 both; null where nothing was done for any model';
comment on column stratify.person.rank is 'Rank by each model within each grouping, at model_no * groupings + grouping_no + 1: run_grouping; 1 is the highest score, null where there is none';

create table if not exists stratify.cohort_member (
    run_id        bigint not null,
    cohort        text not null,
    group_code    text not null,
    rank          integer not null,
    person_id     bigint not null,
    movement      text not null,
    left_reason   text,
    practice_code text,
    age           smallint,
    segment_no    smallint,
    scores        jsonb,
    reasons       text[],
    explanation   jsonb,
    primary key (run_id, cohort, group_code, person_id)
) partition by list (run_id);
alter table stratify.cohort_member add column if not exists explanation jsonb;
comment on table stratify.cohort_member is 'Lists of people for services: members by rank, and those who left since the last published run';
comment on column stratify.cohort_member.run_id is 'The run';
comment on column stratify.cohort_member.cohort is 'The cohort';
comment on column stratify.cohort_member.group_code is 'Group whose list this is; of leavers the one they were in, empty if it is no more';
comment on column stratify.cohort_member.rank is 'Place on the list, from 1 without gaps; 0 for those who left';
comment on column stratify.cohort_member.person_id is 'Pseudonym of the person';
comment on column stratify.cohort_member.movement is 'new, continuing or left, against the last published run';
comment on column stratify.cohort_member.left_reason is 'Why a leaver left';
comment on column stratify.cohort_member.practice_code is 'Practice where registered on the as-of date; null for those no longer in the group';
comment on column stratify.cohort_member.age is 'Completed years on the as-of date';
comment on column stratify.cohort_member.segment_no is 'Segment';
comment on column stratify.cohort_member.scores is 'Score, band and flag of the models that the list shows, by model';
comment on column stratify.cohort_member.reasons is 'What made the score high, in plain words, most important first';
comment on column stratify.cohort_member.explanation is 'For each model that explains the list the features that raised the score most, the first most: model, feature, label, value, contribution in the units of the score, and the day of the latest event';
