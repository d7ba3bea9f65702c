#include "export.h"

#include "fail.h"
#include "format.h"
#include "memory.h"
#include "projection.h"
#include "ranking.h"

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

/* A name in quotation marks, each of its own doubled, when it holds one: as readers of CSV and TSV
   expect it. */
static void put_quoted(Buffer *file, const char *name) {
    const char *quote = strchr(name, '"') ? "\"" : "";
    buffer_add(file, "%s", quote);
    for (; *name; name++) buffer_add(file, *name == '"' ? "\"\"" : "%c", *name);
    buffer_add(file, "%s", quote);
}

/* The Projector wants a header in metadata.tsv, since there are several columns. */
static void export_table(const SavedModel *saved, bool vec, const char *folder, size_t most) {
    const Vocabulary *vocabulary = &saved->vocabulary;
    size_t dim = saved->model.dim, count = smaller(most, vocabulary->rows);
    Scored *rows = allocate(vocabulary->rows, sizeof *rows, "the export");
    Buffer vectors = {0}, metadata = {0};
    for (uint32_t r = 0; r < vocabulary->rows; r++) rows[r] = (Scored){vocabulary->count[r], r};
    sort_scored(rows + CHARACTERS, vocabulary->rows - CHARACTERS);
    if (count < CHARACTERS) count = CHARACTERS;
    if (vec) buffer_add(&vectors, "%zu %zu\n", count, dim);
    buffer_add(&metadata, "name\tkind\tcount\n");
    for (size_t i = 0; i < count; i++) {
        uint32_t r = rows[i].row;
        const float *row = saved->model.embedding + r * dim;
        char name[ROW_NAME];
        row_name(vocabulary, r, name);
        require_finite(row, dim);
        for (const char *c = name; vec && *c; c++)
            buffer_add(&vectors, *c == ' ' ? "\\x20" : "%c", *c);
        for (size_t d = 0; d < dim; d++) {
            const char *between = vec ? " " : "\t";
            buffer_add(&vectors, "%s%.9g", vec || d ? between : "", row[d]);
        }
        buffer_add(&vectors, "\n");
        put_quoted(&metadata, name);
        buffer_add(&metadata, "\t%s\t%u\n", row_kind_name(row_kind(vocabulary, r)),
                   vocabulary->count[r]);
    }
    write_output(folder, vec ? "embedding.vec" : "vectors.tsv", &vectors);
    if (!vec) write_output(folder, "metadata.tsv", &metadata);
    buffer_free(&vectors);
    buffer_free(&metadata);
    free(rows);
}

/* The map's picture is as large as this; marks are as wide as their names and 2 RADIUS high. */
enum { WIDTH = 560, HEIGHT = 380, RADIUS = 11 };

/* Half the width of a mark. Names of several letters are in smaller print. */
static double half_width(uint8_t id) {
    char name[8];
    size_t length = strlen(character_name(character_of(id), name));
    return length < 3 ? RADIUS : 4 * length;
}

/* Moves marks until none covers another: of two that are too near each goes a quarter of what is
   missing away from the other. Marks in one place, or in a line (dim 1), leave it, too. */
static void spread_marks(double (*at)[2], const uint8_t *id, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (int a = 0; a < 2; a++) at[i][a] += 0.01 * (i * (a ? 7 : 3) % 11) - 0.05;
    for (size_t step = 0; step < 300 * count * count; step++) {
        size_t i = step / count % count, j = step % count;
        if (j >= i) continue;
        double wide = (half_width(id[i]) + half_width(id[j])) / (2 * RADIUS);
        double x = (at[i][0] - at[j][0]) / wide, y = at[i][1] - at[j][1];
        double distance = sqrt(x * x + y * y) + 1e-9;
        double push = fmax(0, (2 * RADIUS + 1 - distance) / 4 / distance);
        at[i][0] += push * x;
        at[i][1] += push * y;
        at[j][0] -= push * x;
        at[j][1] -= push * y;
    }
}

/* On a picture that shows the marks where columns 5 and 6 say, none is on another. When all are on
   one line (dim 1), both axes have one scale. */
static void export_map(const SavedModel *saved, const char *folder) {
    Plane plane = plane_of(saved);
    double spread[CHARACTERS][2], unit[2] = {plane.width[0] / WIDTH, plane.width[1] / HEIGHT};
    Buffer file = {0};
    if (unit[0] == 0) unit[0] = 1;
    if (unit[1] == 0) unit[1] = unit[0];
    for (size_t i = 0; i < plane.count; i++)
        for (int a = 0; a < 2; a++) spread[i][a] = plane.at[i][a] / unit[a];
    spread_marks(spread, plane.id, plane.count);
    for (size_t i = 0; i < plane.count; i++) {
        const double *at = plane.at[i];
        char name[8], character = character_of(plane.id[i]);
        buffer_add(&file, "%.6g\t%.6g\t%d\t%u\t%.6g\t%.6g\t", at[0], at[1],
                   character_kind(character), plane.id[i], spread[i][0] * unit[0],
                   spread[i][1] * unit[1]);
        put_quoted(&file, character_name(character, name));
        buffer_add(&file, "\n");
    }
    write_output(folder, "map.tsv", &file);
    buffer_free(&file);
}

void export_rows(const SavedModel *saved, const char *format, const char *folder, size_t most) {
    bool tsv = !strcmp(format, "tsv"), vec = !strcmp(format, "vec");
    if (!strcmp(format, "map"))
        export_map(saved, folder);
    else if (tsv || vec)
        export_table(saved, vec, folder, most);
    else
        wrong_use("--format: \"%s\" is none of tsv, vec, map", format);
}
