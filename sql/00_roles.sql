-- Roles of the results. Rights follow in 40_read.sql. Can be applied again.
--
-- stratify_reader  sees counts under disclosure control, and how the runs went
-- stratify_care    sees people of their own practices and groups (stratify.reader_area)
-- stratify_writer  makes runs
--
-- None can log in: grant them to those who do. Where the right to create roles is
-- lacking, an administrator creates them and applies the scripts again.
do $$
declare
    wanted record;
begin
    for wanted in
        values
            ('stratify_reader', 'Stratify: counts under disclosure control'),
            ('stratify_care', 'Stratify: people of their own practices and groups'),
            ('stratify_writer', 'Stratify: makes and publishes runs')
    loop
        continue when exists (select from pg_roles where rolname = wanted.column1);
        begin
            execute format('create role %I nologin', wanted.column1);
            execute format('comment on role %I is %L', wanted.column1, wanted.column2);
        exception
            when insufficient_privilege then
                raise warning 'role % is missing and this user may not create it',
                    wanted.column1 using errcode = '01007';
            when duplicate_object or unique_violation then
                null; -- another session was first
        end;
    end loop;
end
$$;
