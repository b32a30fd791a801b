#include "models/calibration.h"

#include <math.h>
#include <string.h>

#include "engine/base/text.h"
#include "engine/config/table.h"
#include "models/kinds.h"

enum { MOST_POINTS = 100000 };

/* One half of a point, as it is written. */
typedef struct Written {
    const char *text;
    Where where;
} Written;

typedef struct Reading {
    Calibration *map;
    Written last_from, last_to; /* of the point before */
    Err *err;
} Reading;

static int read_number(double *value, Written written, Err *err)
{
    if (text_double(value, written.text, strlen(written.text)))
        return 0;
    return err_add(err, ERR_CONFIG, written.where, "\"%s\" is not a number",
                   written.text);
}

static int add_point(Reading *reading, Written from, Written to)
{
    Calibration *map = reading->map;
    int n = map->n;

    if (read_number(&map->from[n], from, reading->err) != 0 ||
        read_number(&map->to[n], to, reading->err) != 0)
        return -1;
    if (n > 0 && map->from[n] <= map->from[n - 1])
        return err_add(reading->err, ERR_CONFIG, from.where,
                       "the points of a map rise: \"%s\" is not above \"%s\" before it",
                       from.text, reading->last_from.text);
    if (n > 0 && map->to[n] < map->to[n - 1]) {
        err_add(reading->err, ERR_CONFIG, to.where,
                "the map is not monotone: it falls from \"%s\" to \"%s\"",
                reading->last_to.text, to.text);
        err_hint(reading->err, "a higher score must never become a lower one; fit it by "
                               "isotonic regression");
        return -1;
    }
    reading->last_from = from;
    reading->last_to = to;
    map->n++;
    return 0;
}

static int start(Reading *reading, int n, Where where, Arena *arena)
{
    if (n < 2 || n > MOST_POINTS)
        return err_add(reading->err, ERR_CONFIG, where,
                       "a map has from 2 to %d points, not %d", MOST_POINTS, n);
    reading->map->from = arena_alloc(arena, (size_t)n, sizeof(double));
    reading->map->to = arena_alloc(arena, (size_t)n, sizeof(double));
    return 0;
}

static bool is_pair(const Node *node)
{
    return node->kind == NODE_LIST && node->n == 2 && node->items[0]->kind == NODE_WORD &&
           node->items[1]->kind == NODE_WORD;
}

static int read_pairs(Reading *reading, const Node *node, Arena *arena)
{
    int rc = start(reading, node->n, node->where, arena);

    for (int i = 0; rc == 0 && i < node->n; i++) {
        const Node *pair = node->items[i];

        if (!is_pair(pair))
            return err_add(reading->err, ERR_CONFIG, pair->where,
                           "a point of a map is written as in [0.1, 0.08]");
        rc = add_point(reading, (Written){pair->items[0]->word, pair->items[0]->where},
                       (Written){pair->items[1]->word, pair->items[1]->where});
    }
    return rc;
}

static int read_file(Reading *reading, const Node *node, Arena *arena)
{
    const char *file = NULL, *from = "from", *to = "to";
    Table table;
    int from_at, to_at, rc;

    if (config_need_word(&file, node, "file", reading->err) != 0 ||
        config_word(&from, node, "from", reading->err) != 0 ||
        config_word(&to, node, "to", reading->err) != 0 ||
        table_read(&table, model_path(node, file, arena), arena, reading->err) != 0)
        return -1;
    from_at = table_column(&table, from, reading->err);
    to_at = table_column(&table, to, reading->err);
    if (from_at == TABLE_NO_COLUMN || to_at == TABLE_NO_COLUMN)
        return -1;
    rc = start(reading, table.n_rows, (Where){table.name, 0, 0}, arena);
    for (int row = 0; rc == 0 && row < table.n_rows; row++)
        rc = add_point(
            reading,
            (Written){table_field(&table, row, from_at),
                      table_where(&table, row, from_at)},
            (Written){table_field(&table, row, to_at), table_where(&table, row, to_at)});
    return rc;
}

int calibration_read(Calibration *map, const Node *node, Arena *arena, Err *err)
{
    Reading reading = {.map = map, .err = err};

    *map = (Calibration){0};
    if (node->kind == NODE_LIST)
        return read_pairs(&reading, node, arena);
    if (node->kind == NODE_MAP)
        return read_file(&reading, node, arena);
    err_add(err, ERR_CONFIG, node->where, "a map is a list of points, or a file of them");
    err_hint(err,
             "write [[0, 0.01], [1, 0.6]] or {file: NAME, from: COLUMN, to: COLUMN}");
    return -1;
}

double calibration_value(const Calibration *map, double value)
{
    int low = 0, high = map->n - 1;

    if (!(value >= map->from[0] && value <= map->from[high]))
        return NAN;
    if (value == map->from[high])
        return map->to[high];
    while (high - low > 1) {
        int middle = low + (high - low) / 2;

        if (map->from[middle] <= value)
            low = middle;
        else
            high = middle;
    }
    return map->to[low] +
           (map->to[high] - map->to[low]) *
               ((value - map->from[low]) / (map->from[high] - map->from[low]));
}
