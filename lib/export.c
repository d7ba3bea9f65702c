#include "export.h"

#include "fail.h"
#include "format.h"
#include "memory.h"
#include "projection.h"
#include "report.h"
#include "start.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A file being written; `path` is for messages. */
typedef struct {
    FILE *file;
    char path[4200];
} Output;

static Output output_start(const char *folder, const char *name) {
    Output output;
    snprintf(output.path, sizeof output.path, "%s/%s", folder, name);
    output.file = fopen(output.path, "wb");
    if (!output.file) fail("%s: cannot be written: %s; name another folder with --out", output.path, strerror(errno));
    return output;
}

static void output_end(Output *output, size_t rows) {
    bool failed = ferror(output->file) != 0;
    if (fclose(output->file) || failed) fail("%s: cannot be written: %s", output->path, strerror(errno));
    char number[32];
    printf("%s: %s rows\n", output->path, grouped(rows, number));
}

/* ---- which rows ------------------------------------------------------------------------------- */

typedef struct {
    uint32_t row, count;
} Frequent;

static int more_frequent(const void *a, const void *b) {
    const Frequent *x = a, *y = b;
    if (x->count != y->count) return x->count > y->count ? -1 : 1;
    return x->row < y->row ? -1 : 1;
}

/* The characters, then the most frequent others; *count is how many. */
static uint32_t *choose_rows(const SavedModel *saved, size_t most, size_t *count) {
    const Vocabulary *vocabulary = &saved->vocabulary;
    Frequent *order = allocate(vocabulary->rows, sizeof *order, "the export");
    for (uint32_t row = 0; row < vocabulary->rows; row++) order[row] = (Frequent){row, vocabulary->count[row]};
    if (vocabulary->rows > CHARACTERS) qsort(order + CHARACTERS, vocabulary->rows - CHARACTERS, sizeof *order, more_frequent);
    *count = most < CHARACTERS ? CHARACTERS : most < vocabulary->rows ? most : vocabulary->rows;
    uint32_t *rows = allocate(*count, sizeof *rows, "the export");
    for (size_t i = 0; i < *count; i++) rows[i] = order[i].row;
    for (size_t i = 0; i < *count; i++) require_finite(saved->model.embedding + rows[i] * saved->model.dim, saved->model.dim);
    free(order);
    return rows;
}

/* ---- formats ---------------------------------------------------------------------------------- */

static void write_numbers(Output *output, const SavedModel *saved, uint32_t row, char between) {
    const float *numbers = saved->model.embedding + (size_t)row * saved->model.dim;
    for (size_t d = 0; d < saved->model.dim; d++) {
        if (d) fputc(between, output->file);
        fprintf(output->file, "%.9g", (double)numbers[d]);
    }
    fputc('\n', output->file);
}

/* name, kind and count of each row, with a header: the Projector wants one where there are several columns. */
static void write_names(const SavedModel *saved, const char *folder, const char *file, const uint32_t *rows, size_t count) {
    Output output = output_start(folder, file);
    char name[ROW_NAME];
    fprintf(output.file, "name\tkind\tcount\n");
    for (size_t i = 0; i < count; i++)
        fprintf(output.file, "%s\t%s\t%u\n", row_name(&saved->vocabulary, rows[i], name), row_kind_name(row_kind(&saved->vocabulary, rows[i])),
                (unsigned)saved->vocabulary.count[rows[i]]);
    output_end(&output, count);
}

static void export_tsv(const SavedModel *saved, const char *folder, const uint32_t *rows, size_t count) {
    Output output = output_start(folder, "vectors.tsv");
    for (size_t i = 0; i < count; i++) write_numbers(&output, saved, rows[i], '\t');
    output_end(&output, count);
    write_names(saved, folder, "metadata.tsv", rows, count);
}

static void export_vec(const SavedModel *saved, const char *folder, const uint32_t *rows, size_t count) {
    Output output = output_start(folder, "embedding.vec");
    fprintf(output.file, "%zu %zu\n", count, saved->model.dim);
    for (size_t i = 0; i < count; i++) {
        char name[ROW_NAME];
        row_name(&saved->vocabulary, rows[i], name);
        for (const char *c = name; *c; c++) fputs(*c == ' ' ? "\\x20" : (char[]){*c, '\0'}, output.file);
        fputc(' ', output.file);
        write_numbers(&output, saved, rows[i], ' ');
    }
    output_end(&output, count);
}

/* numpy's format 1.0: a magic string, the header's length, a Python dictionary padded with spaces to 64 bytes, then the
   numbers, little-endian. */
static void export_npy(const SavedModel *saved, const char *folder, const uint32_t *rows, size_t count) {
    Output output = output_start(folder, "embedding.npy");
    char header[118 + 1];
    int used = snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", count, saved->model.dim);
    memset(header + used, ' ', sizeof header - (size_t)used);
    header[117] = '\n';
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, output.file);
    fwrite(header, 1, 118, output.file);
    for (size_t i = 0; i < count; i++)
        for (size_t d = 0; d < saved->model.dim; d++) {
            uint32_t bits;
            memcpy(&bits, &saved->model.embedding[(size_t)rows[i] * saved->model.dim + d], sizeof bits);
            for (int byte = 0; byte < 4; byte++) fputc((int)(bits >> (8 * byte) & 255), output.file);
        }
    output_end(&output, count);
    write_names(saved, folder, "embedding_rows.tsv", rows, count);
}

static void export_csv(const SavedModel *saved, const char *folder, const uint32_t *rows, size_t count) {
    Output output = output_start(folder, "embedding.csv");
    fprintf(output.file, "name,kind,count");
    for (size_t d = 0; d < saved->model.dim; d++) fprintf(output.file, ",%zu", d);
    fputc('\n', output.file);
    for (size_t i = 0; i < count; i++) {
        char name[ROW_NAME];
        row_name(&saved->vocabulary, rows[i], name);
        fputc('"', output.file);
        for (const char *c = name; *c; c++) fputs(*c == '"' ? "\"\"" : (char[]){*c, '\0'}, output.file);
        fprintf(output.file, "\",%s,%u,", row_kind_name(row_kind(&saved->vocabulary, rows[i])), (unsigned)saved->vocabulary.count[rows[i]]);
        write_numbers(&output, saved, rows[i], ',');
    }
    output_end(&output, count);
}

/* The map for plotting programs: the characters that were seen, whatever else was chosen. A picture of WIDTH by HEIGHT units
   that shows the marks where columns 5 and 6 say has none on another. */
static void export_map(const SavedModel *saved, const char *folder, const uint32_t *rows, size_t count) {
    enum { WIDTH = 560, HEIGHT = 380 };
    (void)rows, (void)count;
    uint32_t seen[CHARACTERS];
    size_t characters = characters_seen(saved, seen);
    double place[CHARACTERS][2], scaled[CHARACTERS][2], offset[CHARACTERS][2], low[2] = {1e300, 1e300}, high[2] = {-1e300, -1e300};
    Projection projection = projection_make(saved->model.embedding, saved->model.dim, seen, characters);
    for (size_t i = 0; i < characters; i++) {
        project(&projection, saved->model.embedding + seen[i] * saved->model.dim, &place[i][0], &place[i][1]);
        for (int a = 0; a < 2; a++) low[a] = fmin(low[a], place[i][a]), high[a] = fmax(high[a], place[i][a]);
    }
    double unit[2] = {high[0] > low[0] ? (high[0] - low[0]) / WIDTH : 1, high[1] > low[1] ? (high[1] - low[1]) / HEIGHT : 0};
    if (unit[1] == 0) unit[1] = unit[0]; /* dim 1: all on one line */
    for (size_t i = 0; i < characters; i++)
        for (int a = 0; a < 2; a++) scaled[i][a] = place[i][a] / unit[a];
    spread_marks((const double(*)[2])scaled, seen, characters, offset);
    Output output = output_start(folder, "map.tsv");
    for (size_t i = 0; i < characters; i++) {
        char name[8], character = character_of((uint8_t)seen[i]);
        fprintf(output.file, "%.6f\t%.6f\t%d\t%u\t%.6f\t%.6f\t%s\n", place[i][0], place[i][1], (int)character_kind(character), (unsigned)seen[i],
                place[i][0] + offset[i][0] * unit[0], place[i][1] + offset[i][1] * unit[1], character_name(character, name));
    }
    output_end(&output, characters);
    projection_free(&projection);
}

void export_rows(const SavedModel *saved, const char *format, const char *folder, size_t most) {
    static const struct { const char *name; void (*write)(const SavedModel *, const char *, const uint32_t *, size_t); } formats[] = {
        {"tsv", export_tsv}, {"vec", export_vec}, {"npy", export_npy}, {"csv", export_csv}, {"map", export_map}};
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        if (strcmp(format, formats[f].name)) continue;
        size_t count;
        uint32_t *rows = choose_rows(saved, most, &count);
        formats[f].write(saved, folder, rows, count);
        free(rows);
        return;
    }
    wrong_use("--format: \"%s\" is none of tsv, vec, npy, csv, map", format);
}
