#include "engine/options.h"

#include <argp.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/day.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"

const char *argp_program_version = "stratify " STRATIFY_VERSION;

/* Options without a letter. */
enum {
    KEY_AS_OF = 256,
    KEY_DRY_RUN,
    KEY_SHADOW,
    KEY_OUT,
    KEY_METRICS,
    KEY_THREADS,
    KEY_PEOPLE,
    KEY_SEED,
    KEY_DIRT,
    KEY_REPLACE,
    KEY_GROUP,
    KEY_COLUMN,
    KEY_SYSTEM,
    KEY_EXTRACT,
    KEY_DELETE,
    KEY_MAP,
    KEY_LOG
};

#define EVERYWHERE (~0u)

/* Each row of the table belongs to the groups that ask for it. */
static const struct {
    unsigned groups;
    struct argp_option option;
} TABLE[] = {
    {OPTIONS_CONFIG,
     {"config", 'c', "FILE", 0, "run config (default configs/run.yaml)", 1}},
    {OPTIONS_AS_OF,
     {"as-of", KEY_AS_OF, "DATE", 0,
      "the day the run stands on, YYYY-MM-DD (default today)", 1}},
    {OPTIONS_RUN, {"dry-run", KEY_DRY_RUN, 0, 0, "print the plan and read no data", 1}},
    {OPTIONS_RUN,
     {"shadow", KEY_SHADOW, 0, 0, "keep the run beside the current one, in a database",
      1}},
    {OPTIONS_RUN,
     {"out", KEY_OUT, "DIR", 0,
      "write the result tables here as gzip CSV, not to a database", 1}},
    {OPTIONS_RUN,
     {"metrics", KEY_METRICS, "FILE", 0,
      "write metrics for Prometheus' textfile collector", 1}},
    {OPTIONS_INIT,
     {"visibility-map", KEY_MAP, 0, 0,
      "let `extract` read visibility maps; for a superuser", 1}},
    {OPTIONS_SYNTH, {"people", KEY_PEOPLE, "N", 0, "1000 to 2000000 (default 20000)", 1}},
    {OPTIONS_SYNTH,
     {"seed", KEY_SEED, "N", 0, "another seed, other people (default 1)", 1}},
    {OPTIONS_SYNTH,
     {"dirt", KEY_DIRT, "KINDS", 0,
      "kinds of dirt, comma-separated; all (default) or none", 1}},
    {OPTIONS_SYNTH,
     {"replace", KEY_REPLACE, 0, 0, "drop the schema sid that is there", 1}},
    {OPTIONS_SYNTH,
     {"out", KEY_OUT, "DIR", 0, "write gzip CSV files here, not to a database", 1}},
    {OPTIONS_DIFF,
     {"out", KEY_OUT, "FILE", 0, "also write every difference here as gzip CSV", 1}},
    {OPTIONS_LIST,
     {"group", KEY_GROUP, "CODE", 0, "of one PCN, practice or locality", 1}},
    {OPTIONS_RUN | OPTIONS_CODES,
     {"extract", KEY_EXTRACT, "DIR", 0, "read this extract, not the tables", 1}},
    {OPTIONS_EXTRACT, {"extract", KEY_EXTRACT, "DIR", 0, "the folder of the extract", 1}},
    {OPTIONS_EXTRACT, {"delete", KEY_DELETE, "DIR", 0, "delete the extract there", 1}},
    {OPTIONS_CODES,
     {"column", KEY_COLUMN, "MEANING=NAME", 0,
      "a column of the list's file: code, system, category, label, weight, gt, lt, sex",
      1}},
    {OPTIONS_CODES,
     {"system", KEY_SYSTEM, "NAME", 0, "coding system of all codes of the file", 1}},
    {OPTIONS_RUN | OPTIONS_SYNTH,
     {"threads", KEY_THREADS, "N", 0, "worker threads (default: number of cores)", 2}},
    {OPTIONS_RUN | OPTIONS_SYNTH | OPTIONS_EXTRACT,
     {"jobs", 'j', "N", 0, "database connections (default: number of cores)", 2}},
    {OPTIONS_CONNECTION, {"host", 'h', "HOST", 0, "server or socket folder", 3}},
    {OPTIONS_CONNECTION, {"port", 'p', "PORT", 0, "server port", 3}},
    {OPTIONS_CONNECTION, {"username", 'U', "NAME", 0, "database role", 3}},
    {OPTIONS_CONNECTION,
     {"dbname", 'd', "DBNAME", 0, "database, or a connection string or URI", 3}},
    {EVERYWHERE, {"log-format", KEY_LOG, "FORM", 0, "text (default) or json", 4}},
    {EVERYWHERE, {"quiet", 'q', 0, 0, "only warnings and errors on stderr", 4}},
};

enum { N_TABLE = sizeof TABLE / sizeof *TABLE };

/* What libpq is told. */
typedef struct Connection {
    const char *host, *port, *user, *dbname;
} Connection;

typedef struct Parse {
    Options *options;
    Connection connection;
} Parse;

static void need_number(struct argp_state *state, const char *name, const char *text,
                        int64_t least, int64_t most, int64_t *value)
{
    if (!text_int64(value, text, strlen(text)) || *value < least || *value > most)
        argp_error(state, "--%s takes a whole number from %lld to %lld, not \"%s\"", name,
                   (long long)least, (long long)most, text);
}

static void parse_number(int key, const char *text, Options *options,
                         struct argp_state *state)
{
    int64_t value = 0;

    switch (key) {
    case 'j':
        need_number(state, "jobs", text, 1, 256, &value);
        options->connections = (int)value;
        break;
    case KEY_THREADS:
        need_number(state, "threads", text, 1, 1024, &value);
        options->threads = (int)value;
        break;
    case KEY_PEOPLE:
        need_number(state, "people", text, 1000, 2000000, &value);
        options->people = (uint32_t)value;
        break;
    default:
        need_number(state, "seed", text, 0, INT64_MAX, &value);
        options->seed = (uint64_t)value;
    }
}

/* Words and switches; numbers and the connection have their own functions. */
static error_t parse_word(int key, char *text, Options *options, struct argp_state *state)
{
    switch (key) {
    case 'c':
        options->config = text;
        options->has_config = true;
        return 0;
    case 'q':
        options->is_quiet = true;
        return 0;
    case KEY_AS_OF:
        if (!day_parse_as(&options->as_of, text, strlen(text), "YYYY-MM-DD"))
            argp_error(state, "--as-of takes a day as YYYY-MM-DD, not \"%s\"", text);
        return 0;
    case KEY_DRY_RUN:
        options->dry_run = true;
        return 0;
    case KEY_SHADOW:
        options->shadow = true;
        return 0;
    case KEY_REPLACE:
        options->replace = true;
        return 0;
    case KEY_MAP:
        options->visibility_map = true;
        return 0;
    case KEY_OUT:
        options->out = text;
        return 0;
    case KEY_METRICS:
        options->metrics = text;
        return 0;
    case KEY_GROUP:
        options->group = text;
        return 0;
    case KEY_EXTRACT:
        options->extract = text;
        return 0;
    case KEY_DELETE:
        options->delete = text;
        return 0;
    case KEY_DIRT:
        options->dirt = text;
        return 0;
    case KEY_COLUMN:
        if (options->n_columns == sizeof options->columns / sizeof *options->columns)
            argp_error(state, "a list has no more than %d columns", options->n_columns);
        options->columns[options->n_columns++] = text;
        return 0;
    case KEY_SYSTEM:
        options->system = text;
        return 0;
    case KEY_LOG:
        options->is_json = strcmp(text, "json") == 0;
        if (!options->is_json && strcmp(text, "text") != 0)
            argp_error(state, "--log-format is text or json, not \"%s\"", text);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_option(int key, char *text, struct argp_state *state)
{
    Parse *parse = state->input;
    Options *options = parse->options;

    switch (key) {
    case 'h':
        parse->connection.host = text;
        return 0;
    case 'p':
        parse->connection.port = text;
        return 0;
    case 'U':
        parse->connection.user = text;
        return 0;
    case 'd':
        parse->connection.dbname = text;
        return 0;
    case 'j':
    case KEY_THREADS:
    case KEY_PEOPLE:
    case KEY_SEED:
        parse_number(key, text, options, state);
        return 0;
    case ARGP_KEY_ARG:
        if (options->n_args >= options->command->most_args)
            argp_error(state, "too many arguments: \"%s\"", text);
        options->args[options->n_args++] = text;
        return 0;
    case ARGP_KEY_END:
        if (options->n_args < options->command->least_args)
            argp_error(state, "%s needs %s", options->command->name,
                       options->command->args);
        if (options->shadow && options->out)
            argp_error(state, "--shadow needs a database: a folder holds one run only");
        return 0;
    default:
        return parse_word(key, text, options, state);
    }
}

/* One `word='value'` of a connection string, quoted as libpq wants it. */
static void add_word(FILE *out, const char *word, const char *value)
{
    if (!value || !*value)
        return;
    fprintf(out, "%s='", word);
    for (; *value; value++) {
        if (*value == '\'' || *value == '\\')
            fputc('\\', out);
        fputc(*value, out);
    }
    fputs("' ", out);
}

/* Options win over what a connection string or URI in -d says, as in psql. */
static char *connection_text(const Connection *connection)
{
    const char *dbname = connection->dbname;
    PQconninfoOption *words = NULL;
    char *text = NULL, *message = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (dbname && (strchr(dbname, '=') || strstr(dbname, "://"))) {
        words = PQconninfoParse(dbname, &message);
        if (!words) {
            fprintf(stderr, "stratify: -d: %s", message);
            exit(ERR_USAGE);
        }
        dbname = NULL;
    }
    for (PQconninfoOption *word = words; word && word->keyword; word++) {
        bool is_overridden = (connection->host && strcmp(word->keyword, "host") == 0) ||
                             (connection->port && strcmp(word->keyword, "port") == 0) ||
                             (connection->user && strcmp(word->keyword, "user") == 0);

        if (!is_overridden)
            add_word(out, word->keyword, word->val);
    }
    add_word(out, "host", connection->host);
    add_word(out, "port", connection->port);
    add_word(out, "user", connection->user);
    add_word(out, "dbname", dbname);
    fclose(out);
    PQconninfoFree(words);
    return text;
}

static void print_overview(const Command *commands, FILE *out)
{
    fputs("stratify - frailty and admission-risk scores, ranks and cohort lists for a "
          "whole\n"
          "population, from linked records in PostgreSQL or files.\n\n"
          "Usage: stratify COMMAND [OPTION...]\n\nCommands:\n",
          out);
    for (const Command *command = commands; command->name; command++)
        fprintf(out, "  %-9s %s\n", command->name, command->summary);
    fputs(
        "\nA first night:\n"
        "  stratify init  -d sid                       install the results schema\n"
        "  stratify check -c configs/run.yaml -d sid   prove config and tables fit\n"
        "  stratify run   -c configs/run.yaml -d sid   score, rank and publish\n"
        "  stratify list  anticipatory_care -d sid     read a list\n\n"
        "`stratify COMMAND --help` tells more of one. Connections are as in psql: -h -p "
        "-U -d,\n"
        "PG* variables, service files and .pgpass. STRATIFY_CONFIG names the config "
        "where -c\n"
        "does not.\n\n"
        "Exit codes: 0 done; 1 a fault of the program; 2 command line; 3 config or\n"
        "rights; 4 database or file out of reach; 5 rows break the contract; 6 not\n"
        "published; 7 out of memory; 8 a quality gate failed; 75 another run is under "
        "way.\n",
        out);
}

static const Command *find_command(const Command *commands, const char *word)
{
    const char *names[32];
    size_t n = 0;
    const char *nearest;

    for (const Command *command = commands; command->name; command++) {
        if (strcmp(command->name, word) == 0)
            return command;
        names[n++] = command->name;
    }
    nearest = text_nearest(word, names, n);
    fprintf(stderr, "stratify: unknown command \"%s\"\n", word);
    if (nearest)
        fprintf(stderr, "    hint: did you mean \"%s\"?\n", nearest);
    fputs("    hint: `stratify --help` lists the commands\n", stderr);
    exit(ERR_USAGE);
}

/* The whole of a command's argp: its rows of the table. */
static void parse_command(Parse *parse, const Command *command, int argc, char **argv)
{
    struct argp_option options[N_TABLE + 1] = {{0}};
    char name[64], doc[4096];
    struct argp argp = {options, parse_option, command->args, doc, NULL, NULL, NULL};
    int n = 0;

    for (int i = 0; i < N_TABLE; i++)
        if (TABLE[i].groups == EVERYWHERE || (TABLE[i].groups & command->groups))
            options[n++] = TABLE[i].option;
    snprintf(doc, sizeof doc, "%s\v%s", command->summary, command->more);
    snprintf(name, sizeof name, "stratify %s", command->name);
    argv[0] = name;
    argp_err_exit_status = ERR_USAGE;
    argp_parse(&argp, argc, argv, 0, NULL, parse);
}

void options_parse(Options *options, const Command *commands, int argc, char **argv)
{
    Parse parse = {options, {0}};
    const char *word = argc > 1 ? argv[1] : "--help";

    *options = (Options){.as_of = day_today(), .people = 20000, .seed = 1, .dirt = "all"};
    options->config =
        getenv("STRATIFY_CONFIG") ? getenv("STRATIFY_CONFIG") : "configs/run.yaml";
    if (strcmp(word, "--help") == 0 || strcmp(word, "-?") == 0 ||
        strcmp(word, "help") == 0) {
        print_overview(commands, argc > 1 ? stdout : stderr);
        exit(argc > 1 ? 0 : ERR_USAGE);
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        puts(argp_program_version);
        exit(0);
    }
    options->command = find_command(commands, word);
    parse_command(&parse, options->command, argc - 1, argv + 1);
    options->has_connection = parse.connection.host || parse.connection.port ||
                              parse.connection.user || parse.connection.dbname;
    options->conninfo = connection_text(&parse.connection);
}

void options_free(Options *options)
{
    free(options->conninfo);
}

bool options_want_database(const Options *options)
{
    return options->has_connection || getenv("PGHOST") || getenv("PGDATABASE") ||
           getenv("PGSERVICE");
}
