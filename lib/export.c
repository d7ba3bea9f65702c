#include "export.h"

#include "fail.h"
#include "format.h"
#include "projection.h"
#include "ranking.h"
#include "start.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void write_output(const char *folder, const char *name, const Buffer *content) {
    Buffer path = {0}, printed = {0};
    char number[32];
    if (mkdir(folder, 0777) && errno != EEXIST)
        fail("%s: this folder cannot be made: %s; name another one with --out", folder,
             strerror(errno));
    buffer_add(&path, "%s/%s", folder, name);
    file_write(entry_of(path.text), content->text, content->length);
    printf("%s: %s bytes\n", shown(path.text, &printed), grouped(content->length, number));
    buffer_free(&path);
    buffer_free(&printed);
}

/* The characters, then the most frequent others: rows [count]. */
static Scored *choose_rows(const SavedModel *saved, size_t most, size_t *count) {
    const Vocabulary *vocabulary = &saved->vocabulary;
    Scored *rows = allocate(vocabulary->rows, sizeof *rows, "the export");
    for (uint32_t row = 0; row < vocabulary->rows; row++)
        rows[row] = (Scored){vocabulary->count[row], row};
    sort_scored(rows + CHARACTERS, vocabulary->rows - CHARACTERS);
    *count = most < vocabulary->rows ? most : vocabulary->rows;
    if (*count < CHARACTERS) *count = CHARACTERS;
    for (size_t i = 0; i < *count; i++)
        require_finite(saved->model.embedding + rows[i].row * saved->model.dim, saved->model.dim);
    return rows;
}

static void put_numbers(Buffer *file, const SavedModel *saved, uint32_t row, char between) {
    const float *numbers = saved->model.embedding + (size_t)row * saved->model.dim;
    for (size_t d = 0; d < saved->model.dim; d++) {
        if (d > 0) buffer_bytes(file, &between, 1);
        buffer_add(file, "%.9g", (double)numbers[d]);
    }
    buffer_add(file, "\n");
}

/* A name in quotation marks, each of its own doubled, when it holds one: as readers of CSV and TSV
   expect it. */
static void put_quoted(Buffer *file, const char *name) {
    const char *quote = strchr(name, '"') ? "\"" : "";
    buffer_add(file, "%s", quote);
    for (; *name; name++) buffer_add(file, *name == '"' ? "\"\"" : "%c", *name);
    buffer_add(file, "%s", quote);
}

/* The Projector wants a header in metadata.tsv, since there are several columns. */
static void export_tsv(const SavedModel *saved, const char *folder, const Scored *rows,
                       size_t count) {
    const Vocabulary *vocabulary = &saved->vocabulary;
    Buffer vectors = {0}, metadata = {0};
    char name[ROW_NAME];
    buffer_add(&metadata, "name\tkind\tcount\n");
    for (size_t i = 0; i < count; i++) {
        uint32_t row = rows[i].row;
        put_numbers(&vectors, saved, row, '\t');
        put_quoted(&metadata, row_name(vocabulary, row, name));
        buffer_add(&metadata, "\t%s\t%u\n", row_kind_name(row_kind(vocabulary, row)),
                   (unsigned)vocabulary->count[row]);
    }
    write_output(folder, "vectors.tsv", &vectors);
    write_output(folder, "metadata.tsv", &metadata);
    buffer_free(&vectors);
    buffer_free(&metadata);
}

static void export_vec(const SavedModel *saved, const char *folder, const Scored *rows,
                       size_t count) {
    Buffer file = {0};
    char name[ROW_NAME];
    buffer_add(&file, "%zu %zu\n", count, saved->model.dim);
    for (size_t i = 0; i < count; i++) {
        row_name(&saved->vocabulary, rows[i].row, name);
        for (const char *c = name; *c; c++) buffer_add(&file, *c == ' ' ? "\\x20" : "%c", *c);
        buffer_add(&file, " ");
        put_numbers(&file, saved, rows[i].row, ' ');
    }
    write_output(folder, "embedding.vec", &file);
    buffer_free(&file);
}

/* On a picture of MAP_WIDTH x MAP_HEIGHT units that shows the marks where columns 5 and 6 say, none
   is on another. When all are on one line (dim 1), both axes have one scale. */
static void export_map(const SavedModel *saved, const char *folder) {
    const Model *model = &saved->model;
    uint32_t seen[CHARACTERS];
    size_t count = characters_seen(saved, seen);
    double at[CHARACTERS][2], spread[CHARACTERS][2], unit[2];
    Bounds bounds = NO_BOUNDS;
    Projection projection = projection_make(model->embedding, model->dim, seen, count);
    project_rows(&projection, model->embedding, seen, count, at, &bounds);
    unit[0] = (bounds.high[0] - bounds.low[0]) / MAP_WIDTH;
    unit[1] = (bounds.high[1] - bounds.low[1]) / MAP_HEIGHT;
    if (unit[0] == 0) unit[0] = 1;
    if (unit[1] == 0) unit[1] = unit[0];
    for (size_t i = 0; i < count; i++)
        for (int a = 0; a < 2; a++) spread[i][a] = at[i][a] / unit[a];
    spread_marks(spread, seen, count);
    Buffer file = {0};
    for (size_t i = 0; i < count; i++) {
        char name[8], character = character_of((uint8_t)seen[i]);
        buffer_add(&file, "%.6g\t%.6g\t%d\t%u\t%.6g\t%.6g\t", at[i][0], at[i][1],
                   (int)character_kind(character), (unsigned)seen[i], spread[i][0] * unit[0],
                   spread[i][1] * unit[1]);
        put_quoted(&file, character_name(character, name));
        buffer_add(&file, "\n");
    }
    write_output(folder, "map.tsv", &file);
    buffer_free(&file);
    projection_free(&projection);
}

void export_rows(const SavedModel *saved, const char *format, const char *folder, size_t most) {
    bool tsv = !strcmp(format, "tsv"), vec = !strcmp(format, "vec"), map = !strcmp(format, "map");
    size_t count;
    if (!tsv && !vec && !map) wrong_use("--format: \"%s\" is none of tsv, vec, map", format);
    Scored *rows = choose_rows(saved, most ? most : 10000, &count);
    if (tsv) export_tsv(saved, folder, rows, count);
    if (vec) export_vec(saved, folder, rows, count);
    if (map) export_map(saved, folder);
    free(rows);
}
