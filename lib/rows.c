#include "rows.h"

#include "fail.h"
#include "memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

RowKind row_kind(const Contexts *contexts, uint32_t row) {
    if (row < CHARACTERS) return CHARACTER_ROW;
    if (row < contexts->ngrams_end) return NGRAM_ROW;
    if (row < contexts->phrases_end) return PHRASE_ROW;
    return row < contexts->echoes_end ? ECHO_ROW : COLUMN_ROW;
}

const char *row_kind_name(RowKind kind) {
    static const char *names[] = {"characters", "n-grams", "phrases", "echoes", "columns"};
    return names[kind];
}

size_t unescaped_ids(const char *text, uint8_t *ids) {
    static const char letters[] = "ntr\\\"", plain[] = "\n\t\r\\\"";
    size_t count = 0;
    while (*text) {
        unsigned char byte = (unsigned char)*text++;
        const char *found = byte == '\\' && *text ? strchr(letters, *text) : NULL;
        unsigned code;
        if (found) {
            byte = (unsigned char)plain[found - letters];
            text++;
        } else if (byte == '\\' && sscanf(text, "x%2x", &code) == 1) {
            byte = (unsigned char)code;
            text += strlen(text) < 3 ? strlen(text) : 3;
        }
        int id = id_of(byte);
        if (id < 0) return 0;
        ids[count++] = (uint8_t)id;
    }
    return count;
}

/* Echoes and columns are few: their names are compared one by one. */
static uint32_t row_by_whole_name(const Contexts *contexts, const char *name) {
    char candidate[ROW_NAME];
    for (uint32_t row = contexts->phrases_end; row < contexts->rows; row++)
        if (!strcmp(row_name(contexts, row, candidate), name)) return row;
    return NO_ROW;
}

uint32_t named_row(const Contexts *contexts, const char *name) {
    if (!strcmp(name, "space")) return (uint32_t)id_of(' ');
    uint32_t row = row_by_whole_name(contexts, name);
    size_t length = strlen(name);
    uint8_t *ids = allocate(length + 1, 1, "a name");
    char *inner = allocate(length + 1, 1, "a name");
    bool phrase = length > 1 && name[0] == '^', quoted = length > 2 + (size_t)phrase && name[phrase] == '"' && name[length - 1] == '"';
    memcpy(inner, name + phrase + quoted, length - phrase - 2 * (size_t)quoted);
    if (row == NO_ROW) {
        size_t count = unescaped_ids(inner, ids);
        row = phrase ? (count && count <= MAX_PHRASE ? phrase_row(contexts, ids, count) : NO_ROW) : ngram_row(contexts, ids, count);
    }
    if (row == NO_ROW) row = ngram_row(contexts, ids, unescaped_ids(name, ids)); /* quotes and ^ that mean themselves */
    free(ids);
    free(inner);
    return row;
}

size_t characters_seen(const SavedModel *saved, uint32_t *rows) {
    size_t count = 0;
    for (uint32_t c = 0; c < CHARACTERS; c++)
        if (saved->contexts.count[c]) rows[count++] = c;
    if (count) return count;
    for (uint32_t c = 0; c < CHARACTERS; c++) rows[count++] = c; /* a file without counts */
    return count;
}

Start start_of(const SavedModel *saved) {
    double seed = metadata_number(&saved->file, "seed", -1), deviation = metadata_number(&saved->file, "init-std", -1);
    const char *pretrained = metadata_find(&saved->file, "pretrained");
    Start start = {.known = seed >= 0 && seed <= UINT32_MAX && seed == floor(seed) &&
                            deviation >= 0 && deviation <= MAX_DEVIATION &&
                            (!pretrained || !pretrained[0])};
    if (!start.known) return start;
    start.model = model_allocate(CHARACTERS, saved->model.dim);
    Random random = random_seeded((uint32_t)seed);
    model_start(&start.model, &random, (float)deviation);
    return start;
}

void start_free(Start *start) {
    if (start->known) model_free(&start->model);
}

double distance_moved(const SavedModel *saved, const Start *start, uint32_t row) {
    size_t dim = saved->model.dim;
    const float *now = saved->model.embedding + row * dim;
    double sum = 0;
    for (size_t d = 0; d < dim; d++) {
        double change = (double)now[d] - (row < CHARACTERS ? (double)start->model.embedding[row * dim + d] : 0);
        sum += change * change;
    }
    return sqrt(sum);
}
