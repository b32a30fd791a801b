-- The switch to a new run, and back. Can be applied again.
--
-- A run stages person_rN_p0, person_rN_p1 ... (each a range of people, so that several
-- sessions can write) and cohort_member_rN as tables of their own: each is made, filled
-- and keyed by one transaction, and seen by nobody. One last transaction attaches them
-- all, adds what is known of the run, and moves the pointer. A run that stops before
-- that leaves nothing but loose tables, which the next one drops. All of this happens
-- under the advisory lock of the engine.
--
-- Parts are numbered from 0. splits holds the first person of every part but the first.

-- ---- staging -------------------------------------------------------------

create or replace function stratify.staged_name(parent text, run bigint, part integer)
returns text language sql immutable as $$
    select parent || '_r' || run || coalesce('_p' || part, '')
$$;
comment on function stratify.staged_name is 'Name of the table that holds the rows of a run, or a part of them';

-- In the transaction that fills it, so that COPY may freeze the rows. The check lets the
-- server attach the table without reading it again.
create or replace function stratify.stage_table(parent text, run bigint, part integer,
                                                splits bigint[])
returns void language plpgsql as $$
begin
    execute format(
        'create table stratify.%I (like stratify.%I including defaults, check (run_id = %s%s%s))',
        stratify.staged_name(parent, run, part), parent, run,
        ' and person_id >= ' || splits[part], ' and person_id < ' || splits[part + 1]);
end
$$;
comment on function stratify.stage_table is 'Makes an empty table for rows of a run; part is null where there are none';

-- Statistics of arrays and JSON are dear and help nobody: only numbers and texts get
-- them, and from a small sample, since people of a practice are spread evenly.
create or replace function stratify.key_table(parent text, run bigint, part integer)
returns void language plpgsql
set default_statistics_target = 10 as $$
declare
    name    text := stratify.staged_name(parent, run, part);
    key     text := case parent
                        when 'person' then 'run_id, person_id'
                        else 'run_id, cohort, group_code, person_id'
                    end;
    columns text := (select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
                     from pg_attribute a
                     join pg_type t on t.oid = a.atttypid
                     where a.attrelid = format('stratify.%I', name)::regclass
                       and a.attnum > 0 and t.typcategory in ('N', 'S'));
begin
    execute format('alter table stratify.%I add primary key (%s)', name, key);
    execute format('analyze stratify.%I (%s)', name, columns);
end
$$;
comment on function stratify.key_table is 'Adds the key of a table that has been filled';

create or replace function stratify.clear_leftovers()
returns integer language plpgsql as $$
declare
    loose   regclass;
    cleared integer := 0;
begin
    for loose in
        select c.oid::regclass
        from pg_class c
        where c.relnamespace = 'stratify'::regnamespace
          and c.relkind in ('r', 'p')
          and not c.relispartition
          and c.relname ~ '^(person|cohort_member)_r[0-9]+(_p[0-9]+)?$'
        order by c.relname
    loop
        execute format('drop table %s', loose);
        cleared := cleared + 1;
    end loop;
    return cleared;
end
$$;
comment on function stratify.clear_leftovers is 'Drops what a killed run staged; only under the lock of the engine';

-- ---- publishing ----------------------------------------------------------

create or replace function stratify.attach_table(parent text, child text, bound text)
returns void language plpgsql as $$
begin
    execute format('alter table stratify.%I attach partition stratify.%I for values %s',
                   parent, child, bound);
end
$$;
comment on function stratify.attach_table is 'Makes a staged table a partition';

create or replace function stratify.attach_run(run bigint, splits bigint[])
returns void language plpgsql as $$
declare
    people text := stratify.staged_name('person', run, null);
    whole  text := format('in (%s)', run);
begin
    execute format('create table stratify.%I (like stratify.person including defaults, '
                   'primary key (run_id, person_id)) partition by range (person_id)', people);
    for part in 0 .. cardinality(splits) loop
        perform stratify.attach_table(
            people, stratify.staged_name('person', run, part),
            format('from (%s) to (%s)', coalesce(splits[part]::text, 'minvalue'),
                   coalesce(splits[part + 1]::text, 'maxvalue')));
    end loop;
    perform stratify.attach_table('person', people, whole);
    perform stratify.attach_table('cohort_member',
                                  stratify.staged_name('cohort_member', run, null), whole);
end
$$;
comment on function stratify.attach_run is 'Attaches every table that a run has staged';

create or replace function stratify.publish(run bigint)
returns void language plpgsql as $$
declare
    found_status text := (select status from stratify.run r where r.run_id = run);
    previous     bigint := (select c.run_id from stratify.current_run c);
begin
    if found_status is null then
        raise exception 'there is no run %', run using errcode = 'P0002';
    elsif found_status <> 'published' then
        raise exception 'run % is a shadow run, which is never made current', run
            using errcode = 'P0002';
    end if;
    if previous = run then
        return;
    end if;
    insert into stratify.current_run (run_id) values (run)
        on conflict (is_only) do update set run_id = excluded.run_id;
    insert into stratify.run_switch (run_id, previous_id) values (run, previous);
end
$$;
comment on function stratify.publish is 'Makes a run the current one; also the way back to an earlier run';

-- ---- retention -----------------------------------------------------------

create or replace function stratify.remove_run(run bigint)
returns void language plpgsql
set lock_timeout = '10s' as $$
declare
    part text;
begin
    foreach part in array array['person', 'cohort_member'] loop
        execute format('drop table if exists stratify.%I',
                       stratify.staged_name(part, run, null));
    end loop;
    perform set_config('stratify.removing', run::text, true);
    delete from stratify.run r where r.run_id = run; -- refused for the current run
    for part in
        select c.relname
        from pg_class c
        where c.relnamespace = 'stratify'::regnamespace
          and c.relkind = 'r'
          and c.relname like 'run\_%'
          and c.relname <> 'run_switch'
    loop
        execute format('delete from stratify.%I where run_id = $1', part) using run;
    end loop;
    perform set_config('stratify.removing', '', true);
end
$$;
comment on function stratify.remove_run is 'Removes a run whole; the current run cannot be removed';

create or replace function stratify.retain(runs integer)
returns integer language plpgsql as $$
declare
    old     bigint;
    removed integer := 0;
begin
    if runs < 1 then
        raise exception 'at least one run must be kept' using errcode = '55000';
    end if;
    for old in
        select r.run_id
        from (select run_id, row_number() over (partition by status order by run_id desc) as age
              from stratify.run) r
        where r.age > runs
          and r.run_id not in (select c.run_id from stratify.current_run c)
        order by r.run_id
    loop
        perform stratify.remove_run(old);
        removed := removed + 1;
    end loop;
    return removed;
end
$$;
comment on function stratify.retain is 'Removes all but the newest published and the newest shadow runs, so many of each; never the current one';

-- ---- published rows never change -----------------------------------------

create or replace function stratify.refuse_change()
returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE'
       and current_setting('stratify.removing', true) = old.run_id::text then
        return old;
    end if;
    raise exception 'the rows of a run never change' using errcode = '25006';
end
$$;
comment on function stratify.refuse_change is 'Refuses any change of the rows of a run; retention removes runs whole';

-- What is known of a run may be added by the transaction that publishes it, only.
create or replace function stratify.refuse_late_rows()
returns trigger language plpgsql as $$
begin
    if exists (select from (select distinct run_id from added) a
               where not exists (select from stratify.run r
                                 where r.run_id = a.run_id
                                   and r.xmin = pg_current_xact_id()::xid)) then
        raise exception 'the rows of a run never change' using errcode = '25006';
    end if;
    return null;
end
$$;
comment on function stratify.refuse_late_rows is 'Refuses rows for a run that has been published';

do $$
declare
    tab  text;
    many boolean;
begin
    for tab, many in
        select c.relname, c.relkind = 'p'
        from pg_class c
        where c.relnamespace = 'stratify'::regnamespace
          and c.relkind in ('r', 'p')
          and not c.relispartition
          and (c.relname like 'run\_%' or c.relname in ('run', 'person', 'cohort_member'))
          and c.relname <> 'run_switch'
          and not exists (select from pg_trigger t
                          where t.tgrelid = c.oid and t.tgname = 'never_changes')
    loop
        execute format('create trigger never_changes before %s on stratify.%I '
                       'for each row execute function stratify.refuse_change()',
                       case when many then 'insert or update or delete'
                            else 'update or delete' end, tab);
        execute format('create trigger never_truncated before truncate on stratify.%I '
                       'for each statement execute function stratify.refuse_change()', tab);
        if not many and tab <> 'run' then
            execute format('create trigger never_late after insert on stratify.%I '
                           'referencing new table as added for each statement '
                           'execute function stratify.refuse_late_rows()', tab);
        end if;
    end loop;
end
$$;
