-- Optional, and applied by a superuser: lets `stratify extract` see in the visibility map
-- which pages of a table nobody has written to, in place of looking at every row. Nothing
-- else needs it.
--
--     stratify init --visibility-map
--
-- Of a table it tells those who make runs which pages hold nothing but rows that everybody
-- sees, and where in the log that was last noted. It opens no row to anybody.
create extension if not exists pageinspect;

create or replace function stratify.visibility_map(tab regclass)
returns table (block bigint, noted pg_lsn, pages bytea)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select b, (page_header(page)).lsn, substr(page, 25) -- behind the header
    from (
        -- Read once: a vacuum between two reads would leave new bits with an old position.
        select b, get_raw_page(tab::text, 'vm', b) as page
        from generate_series(0, pg_relation_size(tab, 'vm')
                                / current_setting('block_size')::int - 1) as b
        offset 0
    ) as block
    order by b;
end;
comment on function stratify.visibility_map(regclass) is
    'Blocks of a table''s visibility map: two bits a page, the lower one for all-visible; '
    'and the position in the log at which bits of the block were last set';
revoke execute on function stratify.visibility_map(regclass) from public;
grant execute on function stratify.visibility_map(regclass) to stratify_writer;
