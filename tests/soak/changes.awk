# Random SQL on the tables of extract_changes.sh: n things.
function number(from, to) { return from + int(rand() * (to - from + 1)) }
function pick(words, n, list) { n = split(words, list, "|"); return list[number(1, n)] }

function one(    t, here, put, update, del, swap) {
    t = pick("note|note|note|stay")
    here = number(1, 3)
    if (here == 1)
        here = "ctid in (select ctid from moving." t " order by random() limit " number(1, 40) ")"
    else if (here == 2)
        here = sprintf("ctid >= '(%d,1)' and ctid < '(%d,1)' and random() < 0.0%d", number(0, 900), number(300, 1300), number(1, 9))
    else
        here = "ctid >= (select max(ctid) from moving." t ")"
    put = sprintf("insert into moving.%s select * from moving.%ss(%d, %d)", t, t, pick("1|7|60|" number(1, 2000)), number(0, 70000))
    update = sprintf("update moving.%s set %s where %s", t, pick("person_id = person_id + 7919|person_id = person_id|day = day - 1"), here)
    del = sprintf("delete from moving.%s where %s", t, here)
    swap = sprintf("with gone as (%s returning *) insert into moving.%s select * from gone", del, t)
    kind = number(1, 26)
    if (kind <= 4) return put ";"
    if (kind <= 8) return update ";"
    if (kind <= 10) return del ";"
    if (kind <= 12) return swap ";"
    if (kind == 13) return "begin; " put "; " update "; rollback;"
    if (kind == 14) return "begin; savepoint a; " update "; savepoint b; " del "; rollback to b; " put "; release a; commit;"
    if (kind == 15) return "do $$ begin begin " update "; " put "; raise 'no'; exception when others then " swap "; end; end $$;"
    if (kind <= 17) return "vacuum moving." t ";"
    if (kind == 18) return "vacuum freeze moving." t ";"
    if (kind == 19) return "vacuum (full" pick("|, freeze") ") moving." t ";"
    if (kind == 20) return "cluster moving.note using note_person;"
    if (kind == 21)
        return "begin; create temp table t on commit drop as select * from moving." t " order by random(); truncate moving." t "; insert into moving." t " select * from t; commit;"
    if (kind == 22)
        return "\\copy moving." t " to '" rows "'\nbegin; truncate moving." t ";\n\\copy moving." t " from '" rows "'" pick(" with (freeze)|") "\ncommit;"
    if (kind == 23)
        return pick("alter table moving.note rename code to c; alter table moving.note rename mark to code; alter table moving.note rename c to mark;|alter table moving.note add column more int default 7; alter table moving.note drop column more;|alter table moving.stay alter cost type float8;|alter table moving.stay alter cost type numeric;|alter table moving.note alter grade type int;")
    if (kind <= 25)
        return pick("insert into moving.person select 7919 * (500 + ceil(random() * 20))::bigint, date '1950-01-01';|delete from moving.person where ctid = (select min(ctid) from moving.person);|insert into moving.opt_out values (7919 * " number(1, 500) ", '" pick("all|stays") "', null);|delete from moving.opt_out where random() < 0.3;|update moving.person set born = born - 1 where random() < 0.01;")
    return update "; " del "; " swap ";"
}

BEGIN {
    srand(seed)
    print "set lock_timeout = 200; select setseed(" rand() ");"
    for (i = 0; i < n; i++)
        print one()
}
