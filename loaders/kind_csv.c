/*
 * kind_csv.c - CSV files with a header, plain or gzip, read as a stream. A source may
 * be many files; each is a slice, so that several are read in parallel.
 *
 * Columns are found by name in each file. An empty field is missing. A row with too few
 * or too many fields is a bad row and no more; a file that ends inside a quoted field,
 * or before its compressed end, stops the run.
 */
#include <csv.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "engine/base/text.h"
#include "loaders/kinds.h"

enum {
    CHUNK_BYTES = 64 * 1024,
    MOST_FIELD_BYTES = 1024 * 1024, /* longer: a quote that is never closed */
    GZIP_RATIO = 6                  /* for estimates only */
};

typedef struct Files {
    char **path;
    int n;
    uint64_t *bytes; /* on disk */
} Files;

/* A field of a row that is wanted. */
typedef struct Span {
    size_t start;
    uint32_t len;
} Span;

/*
 * libcsv pushes fields; a run pulls rows. Whole rows of a chunk are queued here as
 * spans of one text; the row that the chunk cuts off waits at the end.
 */
typedef struct Stream {
    const Access *access;
    const char *path;
    gzFile file;
    struct csv_parser parser;
    bool has_parser, has_header, is_over;
    int n_fields;     /* of the header */
    int *field_slot;  /* by field: its place in a row of spans, or -1 */
    int *column_slot; /* by Source.columns */
    int n_slots;

    Span *spans;  /* row by row */
    bool *is_bad; /* by row */
    size_t n_rows, next_row, room_rows;
    int field; /* of the row in hand */
    char *text;
    size_t n_text, room_text, row_text; /* row_text: where the row in hand starts */
    const char **header;
    Arena *arena; /* of the header's names */
    unsigned char *chunk;
} Stream;

static int csv_check(const Source *source, Err *err)
{
    if (source->files != NULL)
        return 0;
    err_add(err, ERR_CONFIG, source->where, "source \"%s\" needs files", source->name);
    err_hint(err, "write \"files: path/*.csv.gz\"");
    return -1;
}

/* ---- rows as libcsv finds them ----------------------------------------- */

static void keep_text(Stream *stream, const void *text, size_t len)
{
    if (stream->n_text + len > stream->room_text) {
        stream->room_text = 2 * (stream->n_text + len);
        stream->text = mem_grow(stream->text, stream->room_text, 1, "rows of a file");
    }
    if (len > 0)
        memcpy(stream->text + stream->n_text, text, len);
    stream->n_text += len;
}

/* Room for one row more. */
static void need_row(Stream *stream)
{
    size_t slots = (size_t)stream->n_slots;

    if (stream->n_rows < stream->room_rows)
        return;
    stream->room_rows = 2 * stream->room_rows + 256;
    stream->spans = mem_grow(stream->spans, stream->room_rows * slots,
                             sizeof *stream->spans, "rows of a file");
    stream->is_bad = mem_grow(stream->is_bad, stream->room_rows, sizeof *stream->is_bad,
                              "rows of a file");
}

static void take_header_field(Stream *stream, const void *text, size_t len)
{
    size_t n = (size_t)stream->n_fields++;

    if ((n & (n - 1)) == 0) /* 0 and the powers of two: the room doubles */
        stream->header = arena_grow(stream->arena, stream->header, n, 2 * n + 1,
                                    sizeof *stream->header);
    stream->header[n] = arena_text(stream->arena, text, len);
}

static void take_field(void *text, size_t len, void *opaque)
{
    Stream *stream = opaque;
    int slot;

    if (!stream->has_header) {
        take_header_field(stream, text, len);
        return;
    }
    slot = stream->field < stream->n_fields ? stream->field_slot[stream->field] : -1;
    stream->field++;
    if (slot < 0)
        return;
    need_row(stream);
    stream->spans[stream->n_rows * (size_t)stream->n_slots + (size_t)slot] =
        (Span){stream->n_text, (uint32_t)len};
    keep_text(stream, text, len);
}

static void map_columns(Stream *stream);

static void take_row(int end, void *opaque)
{
    Stream *stream = opaque;

    (void)end;
    if (!stream->has_header) {
        stream->has_header = true;
        map_columns(stream);
        return;
    }
    need_row(stream);
    stream->is_bad[stream->n_rows++] = stream->field != stream->n_fields;
    stream->field = 0;
    stream->row_text = stream->n_text;
}

/* Which fields of this file the columns are; a column that is not there has slot -1. */
static void map_columns(Stream *stream)
{
    const Source *source = stream->access->source;

    stream->field_slot =
        mem_alloc((size_t)stream->n_fields, sizeof *stream->field_slot, "columns");
    for (int f = 0; f < stream->n_fields; f++)
        stream->field_slot[f] = -1;
    for (int c = 0; c < source->n_columns; c++) {
        int f = 0;

        while (f < stream->n_fields &&
               strcmp(stream->header[f], source->columns[c].name) != 0)
            f++;
        stream->column_slot[c] = -1;
        if (f == stream->n_fields)
            continue;
        if (stream->field_slot[f] < 0)
            stream->field_slot[f] = stream->n_slots++;
        stream->column_slot[c] = stream->field_slot[f];
    }
    if (stream->n_slots == 0)
        stream->n_slots = 1;
}

/* ---- the file ---------------------------------------------------------- */

static int fail(const Stream *stream, ErrKind kind, const char *what, Err *err)
{
    return err_add(err, kind, (Where){stream->path, 0, 0}, "%s", what);
}

/* Forgets the rows that have been taken; the row in hand moves to the front. */
static void drop_rows(Stream *stream)
{
    size_t slots = (size_t)stream->n_slots, moved = stream->row_text;

    if (stream->n_rows > 0 && stream->field > 0)
        memmove(stream->spans, stream->spans + stream->n_rows * slots,
                slots * sizeof *stream->spans);
    for (size_t s = 0; s < slots && stream->field > 0; s++)
        if (stream->spans[s].start >= moved)
            stream->spans[s].start -= moved;
    if (stream->n_text > moved)
        memmove(stream->text, stream->text + moved, stream->n_text - moved);
    stream->n_text -= moved;
    stream->row_text = 0;
    stream->n_rows = stream->next_row = 0;
}

static int finish(Stream *stream, Err *err)
{
    enum { FIELD_BEGUN = 2 }; /* libcsv's own number for "inside a field" */
    int problem = Z_OK;

    stream->is_over = true;
    gzerror(stream->file, &problem);
    if (problem == Z_BUF_ERROR)
        return fail(stream, ERR_SOURCE, "the file ends before its compressed end", err);
    if (stream->parser.quoted && stream->parser.pstate == FIELD_BEGUN)
        return fail(stream, ERR_DATA, "the file ends inside a quoted field", err);
    csv_fini(&stream->parser, take_field, take_row, stream);
    return 0;
}

/* The next chunk. A byte order mark is no part of the first name. */
static int read_chunk(Stream *stream, uint64_t *bytes, Err *err)
{
    static const unsigned char MARK[3] = {0xef, 0xbb, 0xbf};
    bool is_first = gztell(stream->file) == 0;
    int len = gzread(stream->file, stream->chunk, CHUNK_BYTES), problem = Z_OK;
    size_t skip = 0, n;

    if (len < 0) {
        gzerror(stream->file, &problem);
        return fail(stream, ERR_SOURCE,
                    problem == Z_BUF_ERROR ? "the file ends before its compressed end"
                                           : "the file cannot be read or decompressed",
                    err);
    }
    if (len == 0)
        return finish(stream, err);
    n = (size_t)len;
    *bytes += n;
    if (is_first && n >= sizeof MARK && memcmp(stream->chunk, MARK, sizeof MARK) == 0)
        skip = sizeof MARK;
    if (csv_parse(&stream->parser, stream->chunk + skip, n - skip, take_field, take_row,
                  stream) != n - skip ||
        stream->parser.entry_pos > MOST_FIELD_BYTES)
        return fail(stream, ERR_DATA,
                    "a field has more than 1 MiB: is a quote not closed?", err);
    return 0;
}

static void csv_close(void *opaque)
{
    Stream *stream = opaque;

    if (stream == NULL)
        return;
    if (stream->file != NULL)
        gzclose(stream->file);
    if (stream->has_parser)
        csv_free(&stream->parser);
    free(stream->field_slot);
    free(stream->column_slot);
    free(stream->spans);
    free(stream->is_bad);
    free(stream->text);
    free(stream->chunk);
    arena_free(stream->arena);
    free(stream);
}

/* Reads the header. A file without any byte has none and so lacks every column. */
static int start(Stream *stream, Err *err)
{
    uint64_t bytes = 0;

    stream->file = gzopen(stream->path, "rbe");
    if (stream->file == NULL)
        return fail(stream, ERR_SOURCE, "the file cannot be opened", err);
    gzbuffer(stream->file, 4 * CHUNK_BYTES);
    stream->has_parser = csv_init(&stream->parser, 0) == 0;
    if (!stream->has_parser)
        return fail(stream, ERR_MEMORY, "there is no room to read the file", err);
    while (!stream->has_header && !stream->is_over)
        if (read_chunk(stream, &bytes, err) != 0)
            return -1;
    if (!stream->has_header)
        map_columns(stream);
    return 0;
}

static int missing_columns(const Stream *stream, Err *err)
{
    const Source *source = stream->access->source;
    int rc = 0;

    for (int c = 0; c < source->n_columns; c++) {
        const char *nearest;

        if (stream->column_slot[c] >= 0)
            continue;
        rc = err_add(err, ERR_CONFIG, source->columns[c].where, "%s has no column \"%s\"",
                     stream->path, source->columns[c].name);
        nearest = text_nearest(source->columns[c].name, stream->header,
                               (size_t)stream->n_fields);
        if (nearest != NULL)
            err_hint(err, "did you mean \"%s\"?", nearest);
    }
    return rc;
}

static int open_file(Stream **out, const Access *access, int number, Err *err)
{
    const Files *files = access->own;
    Stream *stream = mem_alloc(1, sizeof *stream, "stream");

    *out = stream;
    stream->access = access;
    stream->arena = arena_new();
    stream->path = files->path[number];
    stream->chunk = mem_alloc(CHUNK_BYTES, 1, "stream");
    stream->column_slot = mem_alloc((size_t)access->source->n_columns,
                                    sizeof *stream->column_slot, "columns");
    if (start(stream, err) == 0 && missing_columns(stream, err) == 0)
        return 0;
    csv_close(stream);
    *out = NULL;
    return -1;
}

/* ---- the reader -------------------------------------------------------- */

static int list_files(Files *files, Access *access, Err *err)
{
    const Source *source = access->source;
    glob_t found = {0};
    int rc = glob(source->files, 0, NULL, &found);

    if (rc != 0) {
        globfree(&found);
        return err_add(err, ERR_SOURCE, source->place_where, "no file \"%s\"",
                       source->files);
    }
    files->n = (int)found.gl_pathc;
    files->path = arena_alloc(access->arena, found.gl_pathc, sizeof(char *));
    files->bytes = arena_alloc(access->arena, found.gl_pathc, sizeof *files->bytes);
    for (int f = 0; f < files->n; f++) {
        struct stat about;

        files->path[f] =
            arena_text(access->arena, found.gl_pathv[f], strlen(found.gl_pathv[f]));
        files->bytes[f] = stat(files->path[f], &about) == 0 ? (uint64_t)about.st_size : 0;
        access->bytes += files->bytes[f];
    }
    globfree(&found);
    return 0;
}

/* Rows of the first chunk, stretched to the length of the file. */
static double estimate(const Stream *stream, uint64_t bytes)
{
    double read = (double)gztell(stream->file);
    double whole = (double)bytes * (gzdirect(stream->file) ? 1 : GZIP_RATIO);

    return read > 0 && whole > read ? (double)stream->n_rows * whole / read
                                    : (double)stream->n_rows;
}

static int csv_find(Access *access, Db *db, Err *err)
{
    size_t n_columns = (size_t)access->source->n_columns;
    Files *files = arena_alloc(access->arena, 1, sizeof *files);
    CellType *type = arena_alloc(access->arena, n_columns, sizeof *type);
    int rc = 0;

    (void)db;
    access->own = files;
    access->type = type;
    access->is_integer = arena_alloc(access->arena, n_columns, sizeof(bool));
    for (size_t c = 0; c < n_columns; c++)
        type[c] = CELL_TEXT;
    if (list_files(files, access, err) != 0)
        return -1;
    for (int f = 0; f < files->n && rc == 0; f++) {
        Stream *stream = NULL;

        rc = open_file(&stream, access, f, err);
        if (rc == 0)
            access->rows += estimate(stream, files->bytes[f]);
        csv_close(stream);
    }
    return rc;
}

static int csv_split(Slices *slices, Access *access, Db *db, int n_workers, Err *err)
{
    const Files *files = access->own;

    (void)db, (void)n_workers, (void)err;
    for (int f = 0; f < files->n; f++)
        slices_add(slices, (Slice){access->index, (uint32_t)f, 0, files->bytes[f]});
    return 0;
}

static int csv_open(void **out, const Access *access, const Slice *slice, Db *db,
                    Err *err)
{
    Stream *stream = NULL;
    int rc = open_file(&stream, access, (int)slice->first, err);

    (void)db;
    *out = stream;
    return rc;
}

static int csv_next(void *opaque, Cell *cells, uint64_t *bytes, Err *err)
{
    Stream *stream = opaque;
    const Span *spans;

    while (stream->next_row == stream->n_rows) {
        if (stream->is_over)
            return NEXT_END;
        drop_rows(stream);
        if (read_chunk(stream, bytes, err) != 0)
            return NEXT_FAILED;
    }
    spans = stream->spans + stream->next_row * (size_t)stream->n_slots;
    if (stream->is_bad[stream->next_row++])
        return NEXT_BAD;
    for (int c = 0; c < stream->access->source->n_columns; c++) {
        const Span *span = &spans[stream->column_slot[c]];

        cells[c].type = span->len == 0 ? CELL_NULL : CELL_TEXT;
        cells[c].len = span->len;
        cells[c].as.text = stream->text + span->start;
    }
    return NEXT_ROW;
}

static const char *csv_describe(const Access *access)
{
    const Files *files = access->own;

    return arena_format(access->arena, "%s: %d file%s", access->source->files, files->n,
                        files->n == 1 ? "" : "s");
}

static const char *csv_file(const Access *access, const Slice *slice)
{
    const Files *files = access->own;

    return files->path[slice->first];
}

static const Reader READER = {
    .find = csv_find,
    .split = csv_split,
    .open = csv_open,
    .next = csv_next,
    .close = csv_close,
    .file = csv_file,
    .describe = csv_describe,
};

const SourceKind kind_csv = {"csv", csv_check, &READER};
