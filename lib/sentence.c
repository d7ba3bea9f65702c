#include "sentence.h"

#include "kernels.h"
#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double rarity = 1e-4; /* the a of the weights, chosen by bench/similarity */

enum { TILE = 16, TEXTS_AT_ONCE = 4096 };

/* Texts are whitened side by side, in eight vectors as wide as the machine's. */
typedef double Doubles __attribute__((vector_size(4 * LANES)));
enum { WIDTH = 8, TEXTS = WIDTH * LANES / 2 };

typedef struct {
    const Model *model;
    Vocabulary vocabulary;  /* the model's, without other rows than n-grams */
    float *weight;          /* [n-grams] */
    double *factor;         /* [dim, dim] L, below its diagonal and on it */
    uint32_t *last_text;    /* [team, n-grams] the last text that a member counted the row for */
    const size_t *offsets;  /* of the texts that are read now */
    size_t first, count;    /* which these are */
    const uint32_t *ngrams; /* the longest n-gram of each context, from the first text on */
    float *vectors;         /* [count, dim] */
} Space;

/* Lines [first, first + TILE) of the moment, below the diagonal; four rows at a time. */
static void add_moments(int member, size_t piece, void *argument) {
    const Space *space = argument;
    size_t dim = space->model->dim, first = piece * TILE, end = first + TILE;
    double x[4][MAX_DIM];
    if (end > dim) end = dim;
    (void)member;
    for (size_t r = 0; r < space->vocabulary.rows; r += 4) {
        for (size_t i = 0; i < 4; i++) {
            bool behind = r + i >= space->vocabulary.rows;
            size_t row = behind ? 0 : r + i;
            double scale = behind ? 0 : sqrt(space->vocabulary.count[row]) * space->weight[row];
            for (size_t k = 0; k < end; k++)
                x[i][k] = scale * space->model->embedding[row * dim + k];
        }
        for (size_t d = first; d < end; d++) {
            double *line = space->factor + d * dim;
            for (size_t k = 0; k <= d; k++)
                line[k] +=
                    x[0][d] * x[0][k] + x[1][d] * x[1][k] + x[2][d] * x[2][k] + x[3][d] * x[3][k];
        }
    }
}

/* Cholesky: the matrix [dim, dim], of which the lower half is given, becomes L. What rounding would
   make negative on the diagonal, where rows span fewer than dim directions, is kept above 0. */
static void factorize(double *matrix, size_t dim) {
    double trace = 0;
    for (size_t d = 0; d < dim; d++) trace += matrix[d * dim + d];
    double least = trace > 0 ? 1e-6 * trace / dim : 1;
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

/* y = L^-1 y for the TEXTS columns of y [dim, TEXTS]. */
static void whiten(const double *factor, size_t dim, Doubles (*y)[WIDTH]) {
    for (size_t d = 0; d < dim; d++) {
        Doubles sum[WIDTH];
        memcpy(sum, y[d], sizeof sum);
        for (size_t k = 0; k < d; k++)
            for (int v = 0; v < WIDTH; v++) sum[v] -= factor[d * dim + k] * y[k][v];
        for (int v = 0; v < WIDTH; v++) y[d][v] = sum[v] / factor[d * dim + d];
    }
}

/* sum [dim] = the weighted rows of one text. The context before place p of a text that begins at
   `begin` is p - begin characters long: n-grams that are longer reach into the text before. */
static void add_rows(const Space *space, size_t text, uint32_t *last_text, double *sum) {
    size_t dim = space->model->dim, begin = space->offsets[text];
    uint32_t number = (uint32_t)(space->first + text) + 1, bag[MAX_BAG];
    memset(sum, 0, dim * sizeof *sum);
    for (size_t p = begin + 2; p <= space->offsets[text + 1]; p++) {
        uint32_t ngram = space->ngrams[p - space->offsets[0]];
        size_t count = bag_rows(&space->vocabulary, ngram, NULL, bag), own = p - begin;
        for (size_t i = count > own ? count - own : 0; i < count; i++) {
            double weight = space->weight[bag[i]];
            if (weight == 0 || last_text[bag[i]] == number) continue;
            const float *row = space->model->embedding + bag[i] * dim;
            for (size_t d = 0; d < dim; d++) sum[d] += weight * row[d];
            last_text[bag[i]] = number;
        }
    }
}

/* The vectors of up to TEXTS texts. */
static void read_texts(int member, size_t piece, void *argument) {
    const Space *space = argument;
    size_t dim = space->model->dim, first = piece * TEXTS, end = first + TEXTS;
    Doubles(*tile)[WIDTH] = allocate(dim, sizeof *tile, "the vectors of texts");
    double sum[MAX_DIM], *y = (double *)tile;
    uint32_t *last_text = space->last_text + member * (size_t)space->vocabulary.rows;
    if (end > space->count) end = space->count;
    for (size_t t = first; t < end; t++) {
        add_rows(space, t, last_text, sum);
        for (size_t d = 0; d < dim; d++) y[d * TEXTS + t - first] = sum[d];
    }
    whiten(space->factor, dim, tile);
    for (size_t t = first; t < end; t++)
        for (size_t d = 0; d < dim; d++) space->vectors[t * dim + d] = y[d * TEXTS + t - first];
    free(tile);
}

static Space space_start(const SavedModel *saved, Team *team) {
    Space space = {.model = &saved->model, .vocabulary = saved->vocabulary};
    Vocabulary *vocabulary = &space.vocabulary;
    size_t dim = saved->model.dim, members = (size_t)team_size(team);
    double total = 0;
    vocabulary->rows = vocabulary->end[NGRAM_ROWS];
    vocabulary->options.phrases = vocabulary->options.columns = false;
    vocabulary->options.echoes = 0;
    require_finite(saved->model.embedding, vocabulary->rows * dim);
    space.weight = allocate(vocabulary->rows, sizeof(float), "the weights of the rows");
    space.last_text = allocate(members * vocabulary->rows, sizeof(uint32_t), "the texts");
    space.factor = allocate(dim * dim, sizeof(double), "the moments of the rows");
    space.vectors = allocate(TEXTS_AT_ONCE * dim, sizeof(float), "the vectors of texts");
    for (size_t c = 0; c < CHARACTERS; c++) total += vocabulary->count[c];
    for (size_t r = vocabulary->rows > CHARACTERS ? CHARACTERS : 0; r < vocabulary->rows; r++)
        space.weight[r] = (rarity / (rarity + vocabulary->count[r] / fmax(total, 1)));
    team_for(team, (dim + TILE - 1) / TILE, add_moments, &space);
    factorize(space.factor, dim);
    return space;
}

/* space.vectors of `count` texts from `first` on. */
static void read_vectors(Space *space, Team *team, const Texts *texts, size_t first, size_t count) {
    int small = id_of('a'), capital = id_of('A');
    const size_t *offsets = texts->offsets + first;
    size_t length = offsets[count] - offsets[0] + 1;
    uint8_t *ids = allocate(length, 1, "the texts");
    memcpy(ids, texts->ids + offsets[0], length);
    for (size_t i = 0; i < length; i++)
        if (ids[i] >= capital && ids[i] < capital + 26 && !space->vocabulary.count[ids[i]])
            ids[i] = (uint8_t)(ids[i] - capital + small);
    Bags bags = bags_find(team, &space->vocabulary, ids, 0, length);
    space->offsets = offsets;
    space->first = first;
    space->count = count;
    space->ngrams = bags.ngram;
    team_for(team, (count + TEXTS - 1) / TEXTS, read_texts, space);
    bags_free(&bags);
    free(ids);
}

Scored *compare_texts(const SavedModel *saved, const Texts *texts, bool pairs, size_t *count) {
    Team *team = team_start(processors());
    Space space = space_start(saved, team);
    size_t dim = saved->model.dim;
    Scored *cosines = allocate(texts->count, sizeof *cosines, "the texts");
    float other[MAX_DIM];
    *count = 0;
    for (size_t i = 0; i < texts->count; i++) {
        size_t rest = texts->count - i;
        const float *vector = space.vectors + i % TEXTS_AT_ONCE * dim;
        if (i % TEXTS_AT_ONCE == 0)
            read_vectors(&space, team, texts, i, rest < TEXTS_AT_ONCE ? rest : TEXTS_AT_ONCE);
        if (pairs ? i % 2 == 0 : i == 0)
            memcpy(other, vector, dim * sizeof *other);
        else
            cosines[(*count)++] = (Scored){cosine(other, vector, dim), (uint32_t)i};
    }
    free(space.weight);
    free(space.factor);
    free(space.last_text);
    free(space.vectors);
    team_end(team);
    return cosines;
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
