#include "sentence.h"

#include "exact.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The a of the weights, chosen by bench/similarity. */
static const double rarity = 1e-4;

enum { TILE = 16, ROWS_AT_ONCE = 256 };

/* Lines [first, first + TILE) of the moment, below the diagonal: sums of 256 rows are floats, their
   sums doubles. */
static void add_moments(int member, size_t piece, void *argument) {
    const Sentences *sentences = argument;
    const Model *model = sentences->model;
    const Vocabulary *vocabulary = &sentences->vocabulary;
    size_t dim = model->dim, first = piece * TILE, end = first + TILE < dim ? first + TILE : dim;
    float *sums = allocate(TILE * dim, sizeof *sums, "the moments of the rows");
    (void)member;
    for (size_t r = 0; r < vocabulary->rows; r++) {
        const float *row = model->embedding + r * dim;
        float scale = (float)vocabulary->count[r] * sentences->weight[r] * sentences->weight[r];
        for (size_t d = first; scale > 0 && d < end; d++) {
            float scaled = scale * (row[d] * sentences->unit) * sentences->unit,
                  *sum = sums + (d - first) * dim;
            for (size_t k = 0; k < end; k++) sum[k] += scaled * row[k];
        }
        if ((r + 1) % ROWS_AT_ONCE && r + 1 < vocabulary->rows) continue;
        for (size_t d = first; d < end; d++)
            for (size_t k = 0; k <= d; k++)
                sentences->factor[d * dim + k] += (double)sums[(d - first) * dim + k];
        memset(sums, 0, TILE * dim * sizeof *sums);
    }
    free(sums);
}

/* A power of two that makes the largest number about 1: so no square overflows, and vectors, which
   do not depend on the rows' scale, keep their bits. */
static float unit_of(const float *numbers, size_t count) {
    float largest = 0;
    for (size_t i = 0; i < count; i++) largest = fmaxf(largest, fabsf(numbers[i]));
    return largest > 0 ? (float)ldexp(1, -ilogbf(largest)) : 1;
}

/* Cholesky: the matrix [dim, dim], of which the lower half is given, becomes L. What rounding would
   make negative on the diagonal, where rows span fewer than dim directions, is kept above 0. */
static void factorize(double *matrix, size_t dim) {
    double trace = 0;
    for (size_t d = 0; d < dim; d++) trace += matrix[d * dim + d];
    double least = trace > 0 ? 1e-6 * trace / (double)dim : 1;
    for (size_t d = 0; d < dim; d++) {
        double *line = matrix + d * dim;
        line[d] += least;
        for (size_t k = 0; k <= d; k++) {
            const double *other = matrix + k * dim;
            for (size_t i = 0; i < k; i++) line[k] -= line[i] * other[i];
            if (k < d) line[k] /= other[k];
        }
        line[d] = sqrt(fmax(line[d], least));
    }
}

Sentences sentences_start(const SavedModel *saved, Team *team) {
    Sentences sentences = {.team = team, .model = &saved->model, .vocabulary = saved->vocabulary};
    Vocabulary *vocabulary = &sentences.vocabulary;
    size_t dim = saved->model.dim, first = CHARACTERS;
    double total = 0;
    vocabulary->rows = vocabulary->end[NGRAM_ROWS];
    vocabulary->groups = 0;
    vocabulary->options.phrases = false;
    if (vocabulary->rows == CHARACTERS) first = 0;
    require_finite(saved->model.embedding, vocabulary->rows * dim);
    sentences.unit = unit_of(saved->model.embedding, vocabulary->rows * dim);
    for (size_t c = 0; c < CHARACTERS; c++) total += vocabulary->count[c];
    sentences.weight = allocate(vocabulary->rows, sizeof(float), "the weights of the rows");
    for (size_t r = first; r < vocabulary->rows; r++)
        sentences.weight[r] = (float)(rarity / (rarity + vocabulary->count[r] / fmax(total, 1)));
    size_t members = (size_t)team_size(team);
    sentences.last_text = allocate(members * vocabulary->rows, sizeof(uint32_t), "the texts");
    sentences.factor = allocate(dim * dim, sizeof(double), "the moments of the rows");
    team_for(team, (dim + TILE - 1) / TILE, add_moments, &sentences);
    factorize(sentences.factor, dim);
    return sentences;
}

void sentences_free(Sentences *sentences) {
    free(sentences->weight);
    free(sentences->factor);
    free(sentences->last_text);
}

void texts_add(Texts *texts, const uint8_t *ids, size_t length) {
    size_t begin = texts->count ? texts->offsets[texts->count] : 0, end = begin + 1 + length;
    uint8_t line_feed = (uint8_t)id_of('\n');
    texts->ids = grow(texts->ids, &texts->ids_capacity, end + 1, 1, "the texts");
    texts->offsets = grow(texts->offsets, &texts->offsets_capacity, texts->count + 2,
                          sizeof *texts->offsets, "the texts");
    texts->ids[begin] = texts->ids[end] = line_feed;
    memcpy(texts->ids + begin + 1, ids, length);
    texts->offsets[texts->count++] = begin;
    texts->offsets[texts->count] = end;
}

void texts_free(Texts *texts) {
    free(texts->ids);
    free(texts->offsets);
}

typedef struct {
    Sentences *sentences;
    const uint32_t *ngrams; /* the longest n-gram of each context, from the first text on */
    const size_t *offsets;
    float *vectors;
} Reading;

/* y = L^-1 y, scaled to length 1. */
static void whiten(const double *factor, size_t dim, double *y) {
    double square = 0;
    for (size_t d = 0; d < dim; d++) {
        const double *line = factor + d * dim;
        for (size_t k = 0; k < d; k++) y[d] -= line[k] * y[k];
        y[d] /= line[d];
        square += y[d] * y[d];
    }
    for (size_t d = 0; square > 0 && d < dim; d++) y[d] /= sqrt(square);
}

/* The vector of one text. The context before place p of a text that begins at `begin` is p - begin
   characters long: n-grams that are longer reach into the text before. */
static void read_text(int member, size_t piece, void *argument) {
    const Reading *reading = argument;
    Sentences *sentences = reading->sentences;
    const Vocabulary *vocabulary = &sentences->vocabulary;
    size_t dim = sentences->model->dim, begin = reading->offsets[piece];
    uint32_t *last_text = sentences->last_text + (size_t)member * vocabulary->rows;
    uint32_t text = sentences->texts + (uint32_t)piece + 1, bag[MAX_BAG];
    double sum[MAX_DIM] = {0};
    for (size_t p = begin + 2; p <= reading->offsets[piece + 1]; p++) {
        uint32_t ngram = reading->ngrams[p - reading->offsets[0]];
        size_t count = bag_rows(vocabulary, ngram, NULL, bag), own = p - begin;
        for (size_t i = count > own ? count - own : 0; i < count; i++) {
            double weight = (double)sentences->weight[bag[i]];
            if (weight == 0 || last_text[bag[i]] == text) continue;
            const float *row = sentences->model->embedding + bag[i] * dim;
            for (size_t d = 0; d < dim; d++) sum[d] += weight * (double)(row[d] * sentences->unit);
            last_text[bag[i]] = text;
        }
    }
    whiten(sentences->factor, dim, sum);
    for (size_t d = 0; d < dim; d++) reading->vectors[piece * dim + d] = (float)sum[d];
}

void sentence_vectors(Sentences *sentences, const Texts *texts, size_t first, size_t count,
                      float *vectors) {
    int small = id_of('a'), capital = id_of('A');
    const size_t *offsets = texts->offsets + first;
    size_t length = offsets[count] - offsets[0] + 1;
    uint8_t *ids = allocate(length, 1, "the texts");
    memcpy(ids, texts->ids + offsets[0], length);
    for (size_t i = 0; i < length; i++)
        if (ids[i] >= capital && ids[i] < capital + 26 && !sentences->vocabulary.count[ids[i]])
            ids[i] = (uint8_t)(ids[i] - capital + small);
    Bags bags = bags_find(sentences->team, &sentences->vocabulary, ids, 0, length);
    Reading reading = {sentences, bags.ngram, offsets, vectors};
    team_for(sentences->team, count, read_text, &reading);
    sentences->texts += (uint32_t)count;
    bags_free(&bags);
    free(ids);
}
