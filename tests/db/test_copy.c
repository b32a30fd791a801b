#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/day.h"
#include "engine/db/copy.h"

static Db *open_db(void)
{
    Db *db = NULL;
    Err err = {0};

    cr_assert_eq(db_open(&db, "", "test", &err), 0, "%s", err.text);
    return db;
}

static void run(Db *db, const char *sql)
{
    Err err = {0};

    cr_assert_eq(db_exec(db, sql, &err), 0, "%s", err.text);
}

static const char TABLE[] = "create temp table t (b bool, i2 int2, i4 int4, i8 int8, "
                            "f float8, n float8, d date, x text, j jsonb, l text[], e "
                            "text[])";

static void write_row(Copy *copy, int i)
{
    static const char *const WORDS[] = {"one", "t\"wo, {}", ""};

    copy_row(copy);
    copy_bool(copy, i % 2 == 0);
    copy_int2(copy, (int16_t)-i);
    copy_int4(copy, INT32_MIN + i);
    copy_int8(copy, INT64_MAX - i);
    copy_float8(copy, 0.1 * i);
    copy_float8_or_null(copy, i == 0 ? NAN : i);
    copy_date(copy, i == 0 ? DAY_UNKNOWN : i);
    copy_text(copy, i == 0 ? NULL : "caf\xc3\xa9");
    copy_jsonb(copy, i == 0 ? NULL : "{\"a\": 1}");
    copy_texts(copy, WORDS, 3);
    copy_texts(copy, NULL, 0);
}

Test(copy, what_is_written_arrives)
{
    Db *db = open_db();
    Copy *copy;
    PGresult *result;
    uint64_t n = 0;
    Err err = {0};
    static const char *const WANT[] = {"t",
                                       "0",
                                       "-2147483648",
                                       "9223372036854775807",
                                       "0",
                                       "",
                                       "",
                                       "",
                                       "",
                                       "{one,\"t\\\"wo, {}\",\"\"}",
                                       "{}",
                                       "f",
                                       "-1",
                                       "-2147483647",
                                       "9223372036854775806",
                                       "0.1",
                                       "1",
                                       "2000-01-02",
                                       "caf\xc3\xa9",
                                       "{\"a\": 1}",
                                       "{one,\"t\\\"wo, {}\",\"\"}",
                                       "{}"};

    run(db, TABLE);
    cr_assert_eq(copy_begin(&copy, db, "copy t from stdin (format binary)", 11, &err), 0);
    for (int i = 0; i < 20000; i++)
        write_row(copy, i);
    cr_assert_eq(copy_end(copy, &n, &err), 0, "%s", err.text);
    cr_expect_eq(n, 20000);
    result = db_query(db, "select * from t limit 2", 0, NULL, &err);
    cr_assert_not_null(result);
    for (int v = 0; v < 22; v++)
        cr_expect_str_eq(PQgetvalue(result, v / 11, v % 11), WANT[v]);
    PQclear(result);
    db_close(db);
}

/* All values of a row; false where they are not all there, or more is. */
static bool take_all(CopyValue *values, int n, CopyRow *row)
{
    for (int v = 0; v < n; v++)
        if (!copy_take(row, &values[v]))
            return false;
    return copy_is_taken(row);
}

/* 1 = a row in values, 0 = the end of the stream, -1 = not the format. */
static int split(CopyValue *values, int n, const uint8_t *data, size_t len,
                 bool *has_header)
{
    CopyRow row;
    int found = copy_begin_row(&row, n, data, len, has_header);

    return found == 1 && !take_all(values, n, &row) ? -1 : found;
}

Test(copy, what_is_read_is_what_is_there)
{
    Db *db = open_db();
    CopyReader *reader;
    CopyRow row;
    CopyValue values[7];
    uint64_t bytes = 0;
    int64_t whole;
    int32_t day;
    double real;
    bool yes;
    Err err = {0};

    cr_assert_eq(copy_open(&reader, db,
                           "copy (select 7::int2, -8::int4, 9::int8, 0.5::float4, true, "
                           "'infinity'::date, null::text union all select 1, 2, 3, 4, "
                           "false, '1999-12-31', 'x') to stdout (format binary)",
                           7, &err),
                 0, "%s", err.text);
    cr_assert_eq(copy_next(reader, &row, &bytes, &err), 1);
    cr_assert(take_all(values, 7, &row));
    cr_expect(copy_get_int(&whole, values[0]) && whole == 7);
    cr_expect(copy_get_int(&whole, values[1]) && whole == -8);
    cr_expect(copy_get_int(&whole, values[2]) && whole == 9);
    cr_expect(copy_get_float(&real, values[3]) && real == 0.5);
    cr_expect(copy_get_bool(&yes, values[4]) && yes);
    cr_expect(copy_get_date(&day, values[5]) && day == DAY_UNKNOWN);
    cr_expect_eq(values[6].len, -1);
    cr_assert_eq(copy_next(reader, &row, &bytes, &err), 1);
    cr_assert(take_all(values, 7, &row));
    cr_expect(copy_get_date(&day, values[5]) && day == -1);
    cr_expect(values[6].len == 1 && values[6].data[0] == 'x');
    cr_expect_not(copy_get_int(&whole, values[6]));
    cr_expect_not(copy_get_float(&real, values[4]));
    cr_expect_not(copy_get_bool(&yes, values[0]));
    cr_expect_not(copy_get_date(&day, values[2]));
    cr_expect_eq(copy_next(reader, &row, &bytes, &err), 0);
    cr_expect_eq(err.n_reports, 0);
    cr_expect_gt(bytes, 60);
    copy_close(reader);
    run(db, "select 1"); /* the session goes on */
    db_close(db);
}

/* Rows about as long as the room for one, and much longer, many of which have arrived
 * before they are asked for. */
Test(copy, long_rows_come_whole)
{
    enum { ROOM = 16384, FRAME = 2 + 4, ROWS = 600 };
    Db *db = open_db();
    CopyReader *reader;
    CopyRow row;
    CopyValue value;
    uint64_t bytes = 0, want = COPY_HEADER_BYTES + 2;
    Err err = {0};

    cr_assert_eq(copy_open(&reader, db,
                           "copy (select repeat(chr(97 + n % 26), case when n % 50 = 7 "
                           "then 300000 + n when n % 3 = 0 then n else 16378 - 2 + n % 5 "
                           "end) from generate_series(0, 599) n) to stdout "
                           "(format binary)",
                           1, &err),
                 0, "%s", err.text);
    for (int n = 0; n < ROWS; n++) {
        int len = n % 50 == 7 ? 300000 + n : n % 3 == 0 ? n : ROOM - FRAME - 2 + n % 5;

        cr_assert_eq(copy_next(reader, &row, &bytes, &err), 1, "%s", err.text);
        cr_assert(take_all(&value, 1, &row));
        cr_assert_eq(value.len, len, "row %d: %d", n, value.len);
        for (int i = 0; i < len; i++)
            cr_assert_eq(value.data[i], 'a' + n % 26);
        want += (uint64_t)(FRAME + len);
    }
    cr_expect_eq(copy_next(reader, &row, &bytes, &err), 0);
    cr_expect_eq(bytes, want);
    copy_close(reader);
    run(db, "select 1");
    db_close(db);
}

Test(copy, a_refused_row_is_reported_at_the_end)
{
    Db *db = open_db();
    Copy *copy;
    Err err = {0};

    run(db, "create temp table t (a int4 check (a < 3))");
    cr_expect_eq(
        copy_begin(&copy, db, "copy nothing from stdin (format binary)", 1, &err), -1);
    cr_expect_str_eq(err.text, "database: could not start writing rows: relation "
                               "\"nothing\" does not exist");
    cr_expect_null(copy);
    err_clear(&err);
    cr_assert_eq(copy_begin(&copy, db, "copy t from stdin (format binary)", 1, &err), 0);
    for (int i = 0; i < 5; i++) {
        copy_row(copy);
        copy_int4(copy, i);
    }
    cr_expect_eq(copy_end(copy, NULL, &err), -1);
    cr_expect_str_eq(err.text, "database: could not write rows: SQLSTATE 23514");
    cr_expect_eq(err.kind, ERR_DATA);
    err_clear(&err);
    cr_assert_eq(copy_begin(&copy, db, "copy t from stdin (format binary)", 1, &err), 0);
    copy_row(copy);
    copy_int4(copy, 1);
    copy_abort(copy);
    copy_abort(NULL);
    run(db, "do $$ begin assert (select count(*) = 0 from t); end $$");
    db_close(db);
}

Test(copy, reading_may_stop_before_the_end)
{
    Db *db = open_db();
    CopyReader *reader;
    CopyRow row;
    uint64_t bytes = 0;
    Err err = {0};

    cr_assert_eq(
        copy_open(&reader, db,
                  "copy (select generate_series(1, 100000000)) to stdout (format "
                  "binary)",
                  1, &err),
        0);
    cr_assert_eq(copy_next(reader, &row, &bytes, &err), 1);
    copy_close(reader);
    copy_close(NULL);
    run(db, "select 1");
    db_close(db);
}

/* The session may have heard of the administrator, or only of the end. */
static bool is_gone(const char *text)
{
    static const char WHAT[] = "database: could not read rows: ";

    return strncmp(text, WHAT, sizeof WHAT - 1) == 0 &&
           (strcmp(text + sizeof WHAT - 1, "terminating connection due to "
                                           "administrator command") == 0 ||
            strcmp(text + sizeof WHAT - 1, "server closed the connection "
                                           "unexpectedly") == 0);
}

Test(copy, a_server_that_goes_away_is_a_report)
{
    Db *db = open_db(), *other = open_db();
    CopyReader *reader;
    CopyRow row;
    uint64_t bytes = 0;
    char sql[64];
    int found, n = 0;
    Err err = {0};

    cr_assert_eq(
        copy_open(&reader, db,
                  "copy (select generate_series(1, 100000000)) to stdout (format "
                  "binary)",
                  1, &err),
        0);
    snprintf(sql, sizeof sql, "select pg_terminate_backend(%d)",
             PQbackendPID(db_conn(db)));
    while ((found = copy_next(reader, &row, &bytes, &err)) == 1)
        if (n++ == 10)
            run(other, sql);
    cr_expect_eq(found, -1);
    cr_expect_eq(err.kind, ERR_SOURCE);
    cr_expect(is_gone(err.text), "%s", err.text);
    copy_close(reader);
    db_close(db);
    db_close(other);
}

/* Messages that are not the format, made from one that is by changing a byte. */
Test(copy, every_length_is_checked)
{
    CopyValue values[11];
    const uint8_t *good;
    uint8_t *bad;
    size_t len;
    bool has_header = false;
    Copy *copy;
    Err err = {0};

    cr_assert_eq(copy_begin(&copy, NULL, "", 11, &err), 0);
    write_row(copy, 1);
    good = copy_bytes(copy, &len);
    cr_assert_eq(split(values, 11, good, len, &has_header), 1);
    cr_expect(has_header && values[7].len == 5);
    for (size_t n = 0; n < len; n++) { /* cut short */
        has_header = false;
        cr_expect_eq(split(values, 11, good, n, &has_header), -1, "%zu bytes", n);
    }
    has_header = false;
    cr_expect_eq(split(values, 10, good, len, &has_header), -1);
    bad = malloc(len);
    for (size_t i = 0; i < 20; i++) {
        memcpy(bad, good, len);
        bad[i] ^= 0x40;
        has_header = false;
        cr_expect_eq(split(values, 11, bad, len, &has_header), -1, "byte %zu", i);
    }
    has_header = true;
    cr_expect_eq(split(values, 11, (const uint8_t *)"\xff\xff", 2, &has_header), 0);
    cr_expect_eq(split(values, 11, (const uint8_t *)"\xff\xff", 1, &has_header), -1);
    free(bad);
    copy_abort(copy);
}

/* What the server reads is what was written, nulls too. */
Test(copy, arrays_of_numbers)
{
    static const double reals[3] = {0.1, NAN, -1e300};
    static const int32_t numbers[3] = {ARRAY_NULL, -7, 32000};
    Db *db = open_db();
    Copy *copy;
    PGresult *result;
    Err err = {0};

    run(db, "create temp table arrays (n int4, a float8[], b int2[], c int4[])");
    cr_assert_eq(copy_begin(&copy, db, "copy arrays from stdin (format binary)", 4, &err),
                 0, "%s", err.text);
    for (int n = 3; n >= 0; n -= 3) {
        copy_row(copy);
        copy_int4(copy, n);
        copy_float8s(copy, reals, n);
        copy_int2s(copy, numbers, n);
        copy_int4s(copy, numbers, n);
    }
    cr_assert_eq(copy_end(copy, NULL, &err), 0, "%s", err.text);
    result = db_query(db, "select string_agg(arrays::text, ' ' order by n) from arrays",
                      0, NULL, &err);
    cr_assert_not_null(result, "%s", err.text);
    cr_expect_str_eq(
        PQgetvalue(result, 0, 0),
        "(0,{},{},{}) "
        "(3,\"{0.1,NULL,-1e+300}\",\"{NULL,-7,32000}\",\"{NULL,-7,32000}\")");
    PQclear(result);
    db_close(db);
}
