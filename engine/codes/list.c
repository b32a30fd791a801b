/*
 * list.c - a table of codes -> entries and categories, each line judged.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/names.h"
#include "engine/base/text.h"
#include "engine/codes/codes.h"
#include "engine/config/table.h"

enum { LONGEST_SHOWN = 40 };

/* What a column of ListColumns is for. */
enum { CODE, SYSTEM, CATEGORY, LABEL, WEIGHT, ABOVE, BELOW, SEX, N_COLUMNS };

typedef struct Reader {
    CodeList *list;
    const ListColumns *columns;
    const Table *table;
    int at[N_COLUMNS];      /* table column of each, or TABLE_NO_COLUMN */
    int *rule_at, *keep_at; /* table column of each rule and `keep:` */
    int row;                /* the one in hand */

    Names *ids, *meanings; /* numbered as categories and as entries are */
    int categories_room, entries_room, repeats_room;
    Arena *arena;
    Err *err;
} Reader;

static const char *field(const Reader *reader, int column)
{
    return table_field(reader->table, reader->row, reader->at[column]);
}

static Where place_of(const Reader *reader, int column)
{
    return table_where(reader->table, reader->row, reader->at[column]);
}

static int refuse(Reader *reader, int column, const char *what)
{
    return err_add(reader->err, ERR_CONFIG, place_of(reader, column), "\"%.*s\" %s",
                   LONGEST_SHOWN, field(reader, column), what);
}

/* ---- columns ----------------------------------------------------------- */

static int *find_columns(const Reader *reader, const char **names, int n)
{
    int *at = arena_alloc(reader->arena, (size_t)n, sizeof *at);

    for (int i = 0; i < n; i++)
        at[i] = table_column(reader->table, names[i], reader->err);
    return at;
}

static int find_all_columns(Reader *reader)
{
    const ListColumns *columns = reader->columns;
    bool is_own = columns->category != NULL && strcmp(columns->category, "code") == 0;
    const char *const names[N_COLUMNS] = {
        [CODE] = columns->code,   [SYSTEM] = columns->system,
        [LABEL] = columns->label, [CATEGORY] = is_own ? NULL : columns->category,
        [ABOVE] = columns->above, [WEIGHT] = columns->weight,
        [BELOW] = columns->below, [SEX] = columns->sex,
    };
    int before = reader->err->n_reports;

    for (int c = 0; c < N_COLUMNS; c++)
        reader->at[c] = names[c] == NULL
                            ? TABLE_NO_COLUMN
                            : table_column(reader->table, names[c], reader->err);
    if (is_own) /* each code is a category of its own */
        reader->at[CATEGORY] = reader->at[CODE];
    reader->rule_at = arena_alloc(reader->arena, (size_t)columns->n_rules, sizeof(int));
    for (int i = 0; i < columns->n_rules; i++)
        reader->rule_at[i] =
            table_column(reader->table, columns->rules[i].column, reader->err);
    reader->keep_at = find_columns(reader, columns->keep_column, columns->n_keep);
    if (columns->weight != NULL && columns->category == NULL)
        err_add(reader->err, ERR_CONFIG, (Where){reader->table->name, 1, 0},
                "a weight belongs to a category, and no column holds one");
    return reader->err->n_reports > before ? -1 : 0;
}

/* ---- filters ----------------------------------------------------------- */

/* True if word stands in text, alone or between ';'. */
static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (;;) {
        size_t part = strcspn(text, ";"), from = strspn(text, " ");
        size_t end = part;

        from = from < part ? from : part;
        while (end > from && text[end - 1] == ' ')
            end--;
        if (end - from == len && memcmp(text + from, word, len) == 0)
            return true;
        if (text[part] == '\0')
            return false;
        text += part + 1;
    }
}

/* One of the words asked of this column. */
static bool is_kept(const Reader *reader, int at)
{
    for (int i = 0; i < reader->columns->n_keep; i++) {
        if (reader->keep_at[i] == at &&
            has_word(table_field(reader->table, reader->row, at),
                     reader->columns->keep_word[i]))
            return true;
    }
    return false;
}

/* The first rule of the kind that the line meets, which is then counted. */
static bool meets_rule(const Reader *reader, bool is_suspect)
{
    const CodeList *list = reader->list;

    for (int i = 0; i < list->n_rules; i++) {
        ListRule *rule = &list->rules[i];
        const char *text = table_field(reader->table, reader->row, reader->rule_at[i]);

        if (rule->is_suspect == is_suspect && has_word(text, rule->word)) {
            rule->n_lines++;
            return true;
        }
    }
    return false;
}

static bool is_excluded(const Reader *reader)
{
    const ListColumns *columns = reader->columns;

    if (meets_rule(reader, false))
        return true;
    for (int i = 0; i < columns->n_keep; i++) {
        if (!is_kept(reader, reader->keep_at[i]))
            return true;
    }
    return false;
}

/* ---- one line ---------------------------------------------------------- */

static bool is_by_prefix(Match match, System system)
{
    if (match != MATCH_BY_SYSTEM)
        return match == MATCH_PREFIX;
    return system == SYSTEM_ICD10 || system == SYSTEM_ICD9 || system == SYSTEM_OPCS4 ||
           system == SYSTEM_BNF;
}

/* The code in its normal form; -1 after a report, 1 for a line without one. */
static int take_code(Reader *reader, ListEntry *entry)
{
    const char *text = field(reader, CODE), *complaint;
    System system = reader->columns->constant_system;
    CodeFault fault;
    bool is_prefix;

    if (reader->at[SYSTEM] != TABLE_NO_COLUMN) {
        system = system_of(field(reader, SYSTEM));
        if (system == SYSTEM_NONE && text[0] != '\0')
            return refuse(reader, SYSTEM, "is no coding system that is known here");
    }
    fault = code_of_text(&entry->code, system, text, strlen(text));
    if (fault == CODE_EMPTY) {
        reader->list->n_empty++;
        return 1;
    }
    is_prefix = is_by_prefix(reader->columns->match, system);
    complaint = code_complaint(fault, system, entry->code, is_prefix, reader->arena);
    if (complaint != NULL)
        return refuse(reader, CODE, complaint);
    if (is_prefix)
        entry->is_prefix = code_make_prefix(&entry->code);
    return 0;
}

/* One bound; an empty field is none. */
static int take_bound(Reader *reader, double *bound, int column)
{
    const char *text = field(reader, column);

    if (text[0] == '\0')
        return 0;
    if (!text_double(bound, text, strlen(text)))
        return refuse(reader, column, "is not a number");
    *bound += 0.0; /* -0 is 0 */
    reader->list->has_bounds = true;
    return 0;
}

static int take_conditions(Reader *reader, ListEntry *entry)
{
    const char *sex = field(reader, SEX);

    entry->above = -INFINITY;
    entry->below = INFINITY;
    if (take_bound(reader, &entry->above, ABOVE) != 0 ||
        take_bound(reader, &entry->below, BELOW) != 0)
        return -1;
    if (entry->above >= entry->below)
        return err_add(reader->err, ERR_CONFIG, place_of(reader, ABOVE),
                       "no value is above %s and below %s", field(reader, ABOVE),
                       field(reader, BELOW));
    if (sex[0] != '\0' && sex[1] != '\0')
        return refuse(reader, SEX, "is not one letter, as a sex is here");
    entry->sex = sex[0] >= 'a' && sex[0] <= 'z' ? (char)(sex[0] - 'a' + 'A') : sex[0];
    return 0;
}

static char *name_of(const char *id, Arena *arena)
{
    char *name = arena_text(arena, id, strlen(id));
    size_t n = 0;

    for (; *id != '\0'; id++) {
        char c = *id >= 'A' && *id <= 'Z' ? (char)(*id - 'A' + 'a') : *id;

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            name[n++] = c;
        else if (n == 0 || name[n - 1] != '_')
            name[n++] = '_';
    }
    name[n] = '\0';
    return name;
}

static void add_category(Reader *reader, const char *id)
{
    CodeList *list = reader->list;
    const char *label = field(reader, LABEL);
    Category *category;

    if (list->n_categories == reader->categories_room) {
        reader->categories_room = list->n_categories > 0 ? list->n_categories * 2 : 16;
        list->categories =
            arena_grow(reader->arena, list->categories, (size_t)list->n_categories,
                       (size_t)reader->categories_room, sizeof *list->categories);
    }
    category = &list->categories[list->n_categories];
    category->id = arena_text(reader->arena, id, strlen(id));
    category->name = name_of(id, reader->arena);
    category->label =
        label[0] == '\0' ? category->id : arena_text(reader->arena, label, strlen(label));
    if (reader->at[CATEGORY] == TABLE_NO_COLUMN)
        category->label = list->title != NULL ? list->title : category->id;
    category->where = place_of(reader, CATEGORY);
    list->n_categories++;
}

/* The weight belongs to the category, so all of its lines must agree on it. */
static int take_weight(Reader *reader, Category *category, bool is_new)
{
    const char *text = field(reader, WEIGHT);
    int64_t weight = 0;
    int decimals = 0;

    if (reader->at[WEIGHT] == TABLE_NO_COLUMN)
        return 0;
    if (!text_decimal(&weight, &decimals, text, strlen(text)))
        return refuse(reader, WEIGHT, "is not a decimal number, as a weight must be");
    while (decimals > 0 && weight % 10 == 0) {
        weight /= 10;
        decimals--;
    }
    if (!is_new && (weight != category->weight || decimals != category->decimals))
        return err_add(reader->err, ERR_CONFIG, place_of(reader, WEIGHT),
                       "category \"%s\" has the weight %s here and another on line %llu",
                       category->id, text, (unsigned long long)category->where.line);
    category->weight = weight;
    category->decimals = decimals;
    return 0;
}

static int take_category(Reader *reader, ListEntry *entry)
{
    const char *id = field(reader, CATEGORY);
    CodeList *list = reader->list;
    bool is_new;

    if (reader->at[CATEGORY] != TABLE_NO_COLUMN && id[0] == '\0')
        return err_add(reader->err, ERR_CONFIG, place_of(reader, CATEGORY),
                       "the category is empty");
    entry->category = names_add(reader->ids, id, strlen(id));
    is_new = entry->category == list->n_categories;
    if (is_new)
        add_category(reader, id);
    return take_weight(reader, &list->categories[entry->category], is_new);
}

static void add_repeat(Reader *reader, int entry, uint32_t line)
{
    CodeList *list = reader->list;

    if (list->n_repeats == reader->repeats_room) {
        reader->repeats_room = list->n_repeats > 0 ? list->n_repeats * 2 : 16;
        list->repeats = arena_grow(reader->arena, list->repeats, (size_t)list->n_repeats,
                                   (size_t)reader->repeats_room, sizeof *list->repeats);
    }
    list->repeats[list->n_repeats++] = (ListRepeat){entry, line};
}

/* Adds the entry unless the list has one that means the same. */
static void add_entry(Reader *reader, const ListEntry *entry)
{
    CodeList *list = reader->list;
    struct {
        Code code;
        double above, below;
        int32_t category;
        char is_prefix, sex, nothing[2];
    } meaning = {entry->code,      entry->above, entry->below, entry->category,
                 entry->is_prefix, entry->sex,   {0, 0}};
    int number;

    static_assert(sizeof meaning == 40, "padding would be part of the meaning");
    number = names_add(reader->meanings, (const char *)&meaning, sizeof meaning);
    if (number < list->n_entries) {
        add_repeat(reader, number, entry->line);
        return;
    }
    if (list->n_entries == reader->entries_room) {
        reader->entries_room = list->n_entries > 0 ? list->n_entries * 2 : 64;
        list->entries = arena_grow(reader->arena, list->entries, (size_t)list->n_entries,
                                   (size_t)reader->entries_room, sizeof *list->entries);
    }
    list->entries[list->n_entries++] = *entry;
}

static void read_line(Reader *reader)
{
    ListEntry entry = {.line = reader->table->line[reader->row]};

    if (is_excluded(reader)) {
        reader->list->n_excluded++;
        return;
    }
    if (take_code(reader, &entry) != 0 || take_conditions(reader, &entry) != 0 ||
        take_category(reader, &entry) != 0)
        return;
    reader->list->n_suspect += meets_rule(reader, true);
    add_entry(reader, &entry);
}

/* Two ids such as "Heart failure" and "heart-failure" would be one feature. */
static void check_names(const Reader *reader)
{
    const CodeList *list = reader->list;
    Names *names = names_new();
    int *first = mem_alloc((size_t)list->n_categories, sizeof *first, "categories");
    int n = 0;

    for (int i = 0; i < list->n_categories; i++) {
        const Category *category = &list->categories[i], *other;
        int number = names_add(names, category->name, strlen(category->name));

        if (number == n) {
            first[n++] = i;
            continue;
        }
        other = &list->categories[first[number]];
        err_add(reader->err, ERR_CONFIG, category->where,
                "category \"%s\" and \"%s\" of line %llu are both named \"%s\"",
                category->id, other->id, (unsigned long long)other->where.line,
                category->name);
    }
    free(first);
    names_free(names);
}

static void check_whole(const Reader *reader)
{
    const CodeList *list = reader->list;

    check_names(reader);
    if (list->n_entries > 0)
        return;
    err_add(reader->err, ERR_CONFIG, (Where){list->file, 0, 0}, "there is no code in it");
    if (list->n_excluded > 0)
        err_hint(reader->err, "\"exclude\" and \"keep\" leave out %d lines",
                 list->n_excluded);
}

static int read_list(CodeList *list, const ListColumns *columns, const Table *table,
                     Arena *arena, Err *err)
{
    Reader reader = {
        .list = list, .columns = columns, .table = table, .arena = arena, .err = err};
    int before = err->n_reports;

    assert(columns->code != NULL);
    assert(columns->system != NULL || columns->constant_system != SYSTEM_NONE);
    list->file = table->name;
    list->has_weight = columns->weight != NULL;
    list->n_rules = columns->n_rules;
    list->rules = arena_grow(arena, columns->rules, (size_t)columns->n_rules,
                             (size_t)columns->n_rules, sizeof *list->rules);
    if (find_all_columns(&reader) != 0)
        return -1;
    reader.ids = names_new();
    reader.meanings = names_new();
    for (reader.row = 0; reader.row < table->n_rows; reader.row++)
        read_line(&reader);
    if (err->n_reports == before)
        check_whole(&reader);
    names_free(reader.meanings);
    names_free(reader.ids);
    return err->n_reports > before ? -1 : 0;
}

int codes_parse(CodeList *list, const ListColumns *columns, const char *name,
                const char *text, size_t len, Arena *arena, Err *err)
{
    Table table;

    if (table_parse(&table, name, text, len, arena, err) != 0)
        return -1;
    return read_list(list, columns, &table, arena, err);
}

int codes_read(CodeList *list, const ListColumns *columns, const char *path, Arena *arena,
               Err *err)
{
    Table table;

    if (table_read(&table, path, arena, err) != 0)
        return -1;
    return read_list(list, columns, &table, arena, err);
}
