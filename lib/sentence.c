#include "sentence.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double rarity = 1e-4; /* the a of the weights, chosen by bench/similarity */

enum { TILE = 16 };

typedef struct {
    const Model *model;
    Vocabulary vocabulary; /* the model's, without groups; phrases weigh nothing */
    float *weight;         /* [strings] */
    double *factor;        /* [dim, dim] L^T, above its diagonal and on it */
    uint32_t *last_line;   /* [team, strings] the last line that a member counted the row for */
    const Line *lines;
    bool pairs;
    float first[MAX_DIM]; /* the vector of line 0 */
    Scored *cosines;
} Space;

/* Adds up x x^T over all weighted rows x, in double: TILE lines of this matrix, from the diagonal
   on. Takes four rows at a time. */
static void add_moments(int member, size_t piece, void *argument) {
    const Space *space = argument;
    size_t dim = space->model->dim, first = piece * TILE, end = smaller(first + TILE, dim);
    size_t rows = space->vocabulary.end[NGRAM_ROWS];
    double(*x)[MAX_DIM] = allocate(4, sizeof *x, "the moments of the rows");
    (void)member;
    for (size_t r = 0; r < rows; r += 4) {
        for (size_t i = 0; i < 4; i++) {
            size_t row = r + i < rows ? r + i : 0;
            double scale = sqrt(space->vocabulary.count[row]) * space->weight[row];
            if (r + i >= rows) scale = 0;
            for (size_t k = first; k < dim; k++)
                x[i][k] = scale * space->model->embedding[row * dim + k];
        }
        for (size_t d = first; d < end; d++) {
            double *line = space->factor + d * dim;
            for (size_t k = d; k < dim; k++)
                line[k] +=
                    x[0][d] * x[0][k] + x[1][d] * x[1][k] + x[2][d] * x[2][k] + x[3][d] * x[3][k];
        }
    }
    free(x);
}

/* Cholesky: the matrix [dim, dim], of which the upper half is given, becomes L^T. Where rows span
   fewer than dim directions, its diagonal is kept above 0. */
static void factorize(double *matrix, size_t dim) {
    double trace = 0;
    for (size_t d = 0; d < dim; d++) trace += matrix[d * dim + d];
    double least = trace > 0 ? 1e-6 * trace / dim : 1;
    for (size_t d = 0; d < dim; d++) {
        double *line = matrix + d * dim;
        line[d] += least;
        for (size_t i = 0; i < d; i++) {
            const double *above = matrix + i * dim;
            for (size_t k = d; k < dim; k++) line[k] -= above[d] * above[k];
        }
        line[d] = sqrt(fmax(line[d], least));
        for (size_t k = d + 1; k < dim; k++) line[k] /= line[d];
    }
}

/* Adds the weighted rows of a line to sum [dim]. */
static void add_rows(const Space *space, int member, size_t number, double *sum) {
    const Vocabulary *vocabulary = &space->vocabulary;
    const Line *line = &space->lines[number];
    size_t dim = space->model->dim;
    uint32_t *last_line = space->last_line + member * (size_t)vocabulary->rows, bag[MAX_BAG];
    int small = id_of('a'), capital = id_of('A');
    Stream *stream = stream_start(vocabulary);
    stream_push(stream, (uint8_t)id_of('\n'));
    for (size_t i = 0; i < line->length; i++) {
        int id = line->ids[i];
        if (id >= capital && id < capital + 26 && !vocabulary->count[id]) id += small - capital;
        stream_push(stream, (uint8_t)id);
        size_t count = stream_rows(stream, bag);
        for (size_t r = 0; r < count; r++) {
            double weight = space->weight[bag[r]];
            if (weight == 0 || last_line[bag[r]] == number + 1) continue;
            const float *row = space->model->embedding + bag[r] * dim;
            for (size_t d = 0; d < dim; d++) sum[d] += weight * row[d];
            last_line[bag[r]] = (uint32_t)number + 1;
        }
    }
    stream_end(stream);
}

/* vector [dim] = L^-1 sum of a line's weighted rows. */
static void read_line(const Space *space, int member, size_t number, float *vector) {
    size_t dim = space->model->dim;
    double y[MAX_DIM];
    memset(y, 0, dim * sizeof *y);
    add_rows(space, member, number, y);
    for (size_t k = 0; k < dim; k++) {
        const double *column = space->factor + k * dim; /* of L */
        double found = y[k] / column[k];
        for (size_t d = k + 1; d < dim; d++) y[d] -= column[d] * found;
        vector[k] = found;
    }
}

/* One cosine. */
static void compare(int member, size_t piece, void *argument) {
    const Space *space = argument;
    size_t number = space->pairs ? 2 * piece + 1 : piece + 1;
    float vector[MAX_DIM], before[MAX_DIM];
    const float *other = space->pairs ? before : space->first;
    if (space->pairs) read_line(space, member, number - 1, before);
    read_line(space, member, number, vector);
    space->cosines[piece] = (Scored){cosine(other, vector, space->model->dim), (uint32_t)number};
}

Scored *compare_lines(const SavedModel *saved, const Line *lines, size_t count, bool pairs) {
    size_t dim = saved->model.dim, results = pairs ? count / 2 : count - 1;
    Space space = {&saved->model, saved->vocabulary, .lines = lines, .pairs = pairs};
    Vocabulary *vocabulary = &space.vocabulary;
    Team *team = team_start(processors());
    uint32_t ngrams = vocabulary->end[NGRAM_ROWS];
    double total = 0;
    require_finite(saved->model.embedding, ngrams * dim);
    vocabulary->rows = vocabulary->end[PHRASE_ROWS];
    vocabulary->options.columns = false;
    vocabulary->options.echoes = 0;
    space.weight = allocate(vocabulary->rows, sizeof(float), "the weights of the rows");
    space.last_line =
        allocate((size_t)team_size(team) * vocabulary->rows, sizeof(uint32_t), "the texts");
    space.factor = allocate(dim * dim, sizeof(double), "the moments of the rows");
    space.cosines = allocate(results, sizeof(Scored), "the texts");
    for (size_t c = 0; c < CHARACTERS; c++) total += vocabulary->count[c];
    for (size_t r = ngrams > CHARACTERS ? CHARACTERS : 0; r < ngrams; r++)
        space.weight[r] = (rarity / (rarity + vocabulary->count[r] / fmax(total, 1)));
    team_for(team, (dim + TILE - 1) / TILE, add_moments, &space);
    factorize(space.factor, dim);
    if (!pairs) read_line(&space, 0, 0, space.first);
    team_for(team, results, compare, &space);
    free(space.weight);
    free(space.factor);
    free(space.last_line);
    team_end(team);
    return space.cosines;
}
