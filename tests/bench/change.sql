-- One day more: about 1 % of the rows change, all of them recent. Tables of events are
-- ordered by time in the heap, so the changes lie in their last pages: copies dated the
-- day before :as_of are added (0.6 %), values written again (0.2 %), rows taken back
-- (0.2 %). :turn picks other rows each time.
create or replace function pg_temp.change(name text, day text, as_of date, turn int)
returns void language plpgsql as $$
declare
    first  tid := format('(%s,0)', pg_relation_size(('sid.' || name)::regclass) / 8192 * 49 / 50);
    copied text := (select string_agg(case when attname = day then quote_literal(as_of - 1)
                                      || '::date' else attname end, ', ' order by attnum)
                    from pg_attribute
                    where attrelid = ('sid.' || name)::regclass and attnum > 0);
    tenth  text := format('ctid >= %L and abs(hashint8(person_id + %s)) %% 10', first, turn);
begin
    execute format('delete from sid.%I where %s = 0', name, tenth);
    execute format('update sid.%I set %I = %I where %s = 1', name, day, day, tenth);
    execute format('insert into sid.%I select %s from sid.%I where %s between 2 and 4',
                   name, copied, name, tenth);
end
$$;
select pg_temp.change(name, day, :'as_of', :turn)
from (values ('gp_event', 'event_date'), ('prescription', 'issue_date'),
             ('diagnosis', 'diagnosis_date'), ('ae_attendance', 'arrival_date'))
    as t (name, day);
