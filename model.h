/* model.h: Embedding -> Linear -> softmax, and how backpropagation trains them. Everything is here.

   A context switches on a few rows of one table; their sum goes through one linear layer; softmax
   makes probabilities of it:

       h      = sum of embedding.weight[r] over the rows r that are on      [dim]
       logits = linear.weight h + linear.bias                               [100]
       p      = softmax(logits),   loss = -ln p[next]                       nats

   With only the last character's row on, this is nn.Embedding(100, dim) -> nn.Linear(dim, 100). The
   gradients follow from the chain rule, for the mean loss of a batch of B positions:

       dlogits = (p - onehot(next)) / B        d linear.weight = sum over positions of dlogits h^T
       dh      = linear.weight^T dlogits       d linear.bias   = sum over positions of dlogits
       d embedding.weight[r] = sum of dh over the positions where row r is on; other rows: nothing

   So a look-up table is trained like any other layer: the gradient that arrives at the sum is handed to
   each row that was looked up. Nothing here knows of files, options or printing.

   Every sum runs in one fixed order, cut where the size of the batch says and not the number of threads,
   so the same input gives the same bits. */
#ifndef MODEL_H
#define MODEL_H

#include "lib/characters.h"
#include "lib/exact.h"
#include "lib/fail.h"
#include "lib/memory.h"
#include "lib/random.h"
#include "lib/threads.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Arrays over the 100 characters and over dim are padded to whole vectors, but for the embedding's rows and their sums. */
enum { LOGITS = (CHARACTERS + LANES - 1) / LANES * LANES, MAX_DIM = 4096 };

static inline size_t padded(size_t dim) { return (dim + LANES - 1) / LANES * LANES; }

static inline size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* ---- the model and its start ------------------------------------------------------------------- */

typedef struct {
    size_t rows, dim;
    float *embedding; /* [rows, dim] embedding.weight */
    float *linear;    /* [LOGITS, padded(dim)] linear.weight; rows beyond the 100 are zeros */
    float *turned;    /* [padded(dim), LOGITS] linear.weight transposed: what forward reads */
    float *bias;      /* [LOGITS] linear.bias; beyond the 100 minus infinity, which softmax makes nothing of */
} Model;

/* Turns the weights of characters first .. last - 1, in whole vectors (beyond the last there are zeros); first is a multiple of LANES. */
static inline void model_turn(Model *model, size_t first, size_t last) {
    size_t stride = padded(model->dim);
    for (size_t c = first; c < last; c += LANES)
        for (size_t d = 0; d < model->dim; d++) {
            Floats column = {0};
            for (size_t i = 0; i < LANES; i++) column[i] = model->linear[(c + i) * stride + d];
            *(Floats *)(model->turned + d * LOGITS + c) = column;
        }
}

/* A model of zeros. */
static inline Model model_allocate(size_t rows, size_t dim) {
    size_t stride = padded(dim);
    Model model = {rows, dim, allocate(rows, dim * sizeof(float), "the embedding"),
                   allocate(LOGITS * stride, sizeof(float), "the linear layer"),
                   allocate(stride * LOGITS, sizeof(float), "the linear layer"),
                   allocate(LOGITS, sizeof(float), "the linear layer")};
    for (size_t c = CHARACTERS; c < LOGITS; c++) model.bias[c] = -INFINITY;
    return model;
}

static inline void model_free(Model *model) {
    free(model->embedding);
    free(model->linear);
    free(model->turned);
    free(model->bias);
}

/* How PyTorch starts: nn.Embedding's rows from N(0, deviation), nn.Linear's weights and biases from
   U(-1/sqrt dim, 1/sqrt dim). Rows from 100 up start at zero: what stands there later, backpropagation wrote. */
static inline void model_start(Model *model, Random *random, float deviation) {
    random_normal(random, model->embedding, CHARACTERS * model->dim, deviation);
    memset(model->embedding + CHARACTERS * model->dim, 0, (model->rows - CHARACTERS) * model->dim * sizeof(float));
    float bound = (float)(1 / exact_sqrt((double)model->dim));
    for (size_t c = 0; c < CHARACTERS; c++)
        for (size_t d = 0; d < model->dim; d++)
            model->linear[c * padded(model->dim) + d] = random_uniform(random) * (2 * bound) - bound;
    for (size_t c = 0; c < CHARACTERS; c++) model->bias[c] = random_uniform(random) * (2 * bound) - bound;
    model_turn(model, 0, CHARACTERS);
}

/* ---- matrix products --------------------------------------------------------------------------- */

/* Sums of a tile of a product, HIGH rows by WIDE vectors, fill three quarters of the registers; no tile is wider than 32 numbers. */
enum { WIDE = LANES > 8 ? 2 : REGISTERS / 8, HIGH = REGISTERS * 3 / 4 / WIDE };

/* One tile, kept in registers from the first k to the last: `rows` and `vectors` are constants at every call, so that compilers
   unroll the loops over them. See multiply. */
static inline __attribute__((always_inline)) void multiply_tile(const size_t rows, const size_t vectors, size_t depth,
                                                                const float *a, size_t a_row, size_t a_column, const float *b,
                                                                size_t b_row, const float *start, size_t start_row, float *out,
                                                                size_t out_row) {
    Floats sum[HIGH][WIDE];
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < vectors; j++) sum[i][j] = start ? *(const Floats *)(start + i * start_row + LANES * j) : (Floats){0};
    for (size_t k = 0; k < depth; k++)
        for (size_t i = 0; i < rows; i++) {
            float factor = a[i * a_row + k * a_column];
            for (size_t j = 0; j < vectors; j++) sum[i][j] += factor * *(const Floats *)(b + k * b_row + LANES * j);
        }
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < vectors; j++) *(Floats *)(out + i * out_row + LANES * j) = sum[i][j];
}

/* A strip of a product, so many vectors wide: HIGH rows at a time, then two, then one. */
static inline __attribute__((always_inline)) void multiply_strip(const size_t vectors, size_t rows, size_t depth, const float *a,
                                                                 size_t a_row, size_t a_column, const float *b, size_t b_row,
                                                                 const float *start, size_t start_row, float *out, size_t out_row) {
    for (size_t i = 0, high; i < rows; i += high) {
        high = rows - i >= HIGH ? HIGH : rows - i >= 2 ? 2 : 1;
        const float *a_i = a + i * a_row, *start_i = start ? start + i * start_row : NULL;
        float *out_i = out + i * out_row;
        if (high == HIGH) multiply_tile(HIGH, vectors, depth, a_i, a_row, a_column, b, b_row, start_i, start_row, out_i, out_row);
        else if (high == 2) multiply_tile(2, vectors, depth, a_i, a_row, a_column, b, b_row, start_i, start_row, out_i, out_row);
        else multiply_tile(1, vectors, depth, a_i, a_row, a_column, b, b_row, start_i, start_row, out_i, out_row);
    }
}

/* out [rows, columns] = start [rows, columns] + a [rows, depth] b [depth, columns], each sum from k = 0 up. Element (i, k)
   of a is a[i * a_row + k * a_column]; rows of b, start and out are b_row, start_row and out_row floats apart (start_row 0:
   all start with one row); columns is a multiple of LANES; start may be out, or NULL for zeros. All three products of the model are this one. */
static inline void multiply(size_t rows, size_t columns, size_t depth, const float *a, size_t a_row, size_t a_column,
                            const float *b, size_t b_row, const float *start, size_t start_row, float *out, size_t out_row) {
    for (size_t j = 0, vectors; j < columns; j += vectors * LANES) {
        size_t left = (columns - j) / LANES;
        vectors = left >= WIDE ? WIDE : left >= 2 ? 2 : 1;
        const float *start_j = start ? start + j : NULL;
        if (vectors == WIDE) multiply_strip(WIDE, rows, depth, a, a_row, a_column, b + j, b_row, start_j, start_row, out + j, out_row);
        else if (vectors == 2) multiply_strip(2, rows, depth, a, a_row, a_column, b + j, b_row, start_j, start_row, out + j, out_row);
        else multiply_strip(1, rows, depth, a, a_row, a_column, b + j, b_row, start_j, start_row, out + j, out_row);
    }
}

/* ---- forward ----------------------------------------------------------------------------------- */

/* Positions to predict: the rows that each one's context switches on, and what comes next. Positions with one and the same
   context are computed once and have several characters next (order 1: most of them). To train on them the
   contexts are also kept by row: which contexts each distinct row is on at, in their order. */
typedef struct {
    size_t size;           /* contexts */
    uint32_t *next_start;  /* [size + 1] context b is followed by next[next_start[b]] .. next[next_start[b + 1] - 1] */
    uint8_t *next;         /* [positions] where positions = next_start[size] */
    uint32_t *on_start;    /* [size + 1] context b switches on on[on_start[b]] .. on[on_start[b + 1] - 1] */
    uint32_t *on;
    size_t distinct;
    uint32_t *row;         /* [distinct] rows that are on anywhere in the batch */
    uint32_t *where_start; /* [distinct + 1] row u is on at where[where_start[u]] .. where[where_start[u + 1] - 1] */
    uint32_t *where;
    uint32_t *number_of;   /* [all that are on] the number u of on[i]'s row */
    size_t shared;         /* rows that are on at more than one context: */
    uint32_t *shared_row;  /* [shared] their numbers u */
} Batch;

static inline uint32_t times(const Batch *batch, size_t b) { return batch->next_start[b + 1] - batch->next_start[b]; }

/* In a training step the batch is cut into parts, for one member of the team each, and parts into pieces: what no other member looks at
   stays in the member's cache. Each part has gradients of its own, added up in the end, so parts are the same for any number of threads. */
enum { PIECE = 32, LEAST_PART = 16, MOST_PARTS = 8 };

static inline size_t part_size(size_t size) {
    size_t parts = size < 512 ? MOST_PARTS / 2 : MOST_PARTS, part = (size + parts - 1) / parts;
    return part > LEAST_PART ? part : LEAST_PART;
}

static inline size_t parts_of(size_t size) { return (size + part_size(size) - 1) / part_size(size); }

/* What the layers say about contexts first, first + 1, ... of a batch, and the gradients of the whole batch. */
typedef struct {
    size_t first;
    float *h;         /* [contexts, padded(dim)] */
    float *logits;    /* [contexts, LOGITS]; backward turns them into dlogits */
    double *log_sum;  /* [contexts] ln of the sum of exp(logit) */
    float *dh;        /* [size, padded(dim)] */
    float *gradient;  /* [MOST_PARTS], each [100, padded(dim)] of linear.weight, then [LOGITS] of linear.bias */
    double *loss;     /* [size] nats, added up over a context's positions */
    double mean_loss; /* of the latest training step's batch, nats per position */
} Layers;

/* The floats of one part's gradient. */
static inline size_t gradient_size(size_t dim) { return CHARACTERS * padded(dim) + LOGITS; }

/* For batches of up to `size` contexts: room to look at all of them, and for each of a team's members to learn from a piece. */
static inline Layers layers_allocate(size_t size, size_t dim, size_t members) {
    size_t contexts = size > members * PIECE ? size : members * PIECE;
    return (Layers){.h = allocate(contexts, padded(dim) * sizeof(float), "a batch"),
                    .logits = allocate(contexts, LOGITS * sizeof(float), "a batch"),
                    .log_sum = allocate(contexts, sizeof(double), "a batch"),
                    .dh = allocate(size, padded(dim) * sizeof(float), "a batch"),
                    .gradient = allocate(MOST_PARTS, gradient_size(dim) * sizeof(float), "a batch"),
                    .loss = allocate(size, sizeof(double), "a batch")};
}

/* The same with room of the member's own for the piece that begins with context `first`. */
static inline Layers layers_of(const Layers *layers, size_t dim, int member, size_t first) {
    Layers own = *layers;
    own.first = first;
    own.h += (size_t)member * PIECE * padded(dim);
    own.logits += (size_t)member * PIECE * LOGITS;
    own.log_sum += (size_t)member * PIECE;
    return own;
}

static inline void layers_free(Layers *layers) {
    free(layers->h);
    free(layers->logits);
    free(layers->log_sum);
    free(layers->dh);
    free(layers->gradient);
    free(layers->loss);
}

/* Rows lie anywhere in memory; they are asked for some contexts before they are needed, for the second-level cache: the first
   has too few places for all that is on its way. (Inlined by force: gcc takes a function that does nothing else for one
   without effect, and drops the call.) */
enum { AHEAD = 4 };

static inline __attribute__((always_inline)) void prefetch_row(const float *row, size_t dim) {
    for (size_t d = 0; d < dim; d += 16) __builtin_prefetch(row + d, 0, 2);
}

/* sum [padded(dim)] = the rows table[rows[i]] [dim], added up in their order: 32 numbers at a time stay in registers
   while the rows go by. */
static inline void sum_rows(const float *table, size_t stride, size_t dim, const uint32_t *rows, size_t count, float *sum) {
    size_t d = 0;
    for (; d + 32 <= dim; d += 32) {
        Floats part[TOGETHER] = {{0}};
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < TOGETHER; j++) part[j] += *(const Floats *)(table + rows[i] * stride + d + LANES * j);
        memcpy(sum + d, part, sizeof part);
    }
    memset(sum + d, 0, (padded(dim) - d) * sizeof(float));
    for (size_t i = 0; d < dim && i < count; i++)
        for (size_t e = d; e < dim; e++) sum[e] += table[rows[i] * stride + e];
}

/* Embedding: h [padded(dim)] = the sum of `count` rows. */
static inline void embedding_forward(const Model *model, const uint32_t *rows, size_t count, float *h) {
    sum_rows(model->embedding, model->dim, model->dim, rows, count, h);
}

/* Linear: logits [size, LOGITS] = h [size, dim] linear.weight^T + linear.bias. */
static inline void linear_forward(const Model *model, const float *h, size_t size, float *logits) {
    multiply(size, LOGITS, model->dim, h, padded(model->dim), 1, model->turned, LOGITS, model->bias, 0, logits, LOGITS);
}

static inline float larger(float a, float b) { return a > b ? a : b; }

/* Softmax, in place: logits [size, LOGITS] -> p [size, LOGITS]; log_sum [size] becomes ln of the sum of exp(logit). The
   largest logit is subtracted first, so that nothing overflows. Each step goes over all positions before the next
   begins, and maxima and sums run in 32 chains, which are then folded in halves: what would wait for a result is not next in line. */
static inline void softmax(float *logits, size_t size, double *log_sum) {
    enum { VECTORS = LOGITS / LANES, WHOLE = VECTORS / TOGETHER * TOGETHER, BLOCK = 32 };
    float largest[BLOCK] = {0}, total[BLOCK] = {0};
    Floats real[VECTORS - WHOLE] = {{0}}; /* 1, and 0 for what pads the characters: the sum is the same whatever the width */
    for (int i = 0; i < (VECTORS - WHOLE) * LANES; i++) real[i / LANES][i % LANES] = WHOLE * LANES + i < CHARACTERS;
    for (size_t first = 0, count; first < size; first += count) {
        count = least(BLOCK, size - first);
        Floats *block = (Floats *)(logits + first * LOGITS);
        for (size_t b = 0; b < count; b++) {
            const Floats *p = block + b * VECTORS;
            Floats most[TOGETHER];
            for (int i = 0; i < TOGETHER; i++) most[i] = p[i];
            for (int v = TOGETHER; v < VECTORS; v++) keep_larger(&most[v % TOGETHER], &p[v]);
            for (int half = TOGETHER / 2; half > 0; half /= 2)
                for (int i = 0; i < half; i++) keep_larger(&most[i], &most[i + half]);
            Floats m = most[0];
            for (int half = LANES / 2; half > 0; half /= 2)
                for (int i = 0; i < half; i++) m[i] = larger(m[i + half], m[i]); /* keep_larger's rule for NaN */
            largest[b] = m[0];
        }
        for (size_t b = 0; b < count; b++) {
            Floats *p = block + b * VECTORS, sum[TOGETHER] = {{0}};
            for (int v = 0; v < WHOLE; v += TOGETHER) {
                for (int i = 0; i < TOGETHER; i++) p[v + i] -= largest[b];
                exact_exps(p + v, TOGETHER);
                for (int i = 0; i < TOGETHER; i++) sum[i] += p[v + i];
            }
            for (int v = WHOLE; v < VECTORS; v++) p[v] -= largest[b];
            exact_exps(p + WHOLE, VECTORS - WHOLE);
            for (int v = WHOLE; v < VECTORS; v++) p[v] *= real[v - WHOLE];
            for (int v = WHOLE; v < VECTORS; v++) sum[v - WHOLE] += p[v];
            for (int half = TOGETHER / 2; half > 0; half /= 2)
                for (int i = 0; i < half; i++) sum[i] += sum[i + half];
            Floats s = sum[0];
            for (int half = LANES / 2; half > 0; half /= 2)
                for (int i = 0; i < half; i++) s[i] += s[i + half];
            total[b] = s[0];
        }
        for (size_t b = 0; b < count; b++) {
            Floats *p = block + b * VECTORS;
            float scale = 1 / total[b];
            for (int v = 0; v < VECTORS; v++) p[v] *= scale;
        }
        for (size_t b = 0; b < count; b++) log_sum[first + b] = (double)largest[b] + exact_log((double)total[b]);
    }
}

/* Embedding, for contexts first .. last - 1, whose rows are asked for ahead: h [last - first, padded(dim)]. */
static inline void contexts_forward(const Model *model, const Batch *batch, size_t first, size_t last, float *h) {
    for (size_t b = first; b < last; b++) {
        if (b + AHEAD < batch->size)
            for (uint32_t i = batch->on_start[b + AHEAD]; i < batch->on_start[b + AHEAD + 1]; i++)
                prefetch_row(model->embedding + batch->on[i] * model->dim, model->dim);
        embedding_forward(model, batch->on + batch->on_start[b], batch->on_start[b + 1] - batch->on_start[b], h + (b - first) * padded(model->dim));
    }
}

/* The whole model for contexts first .. last - 1: afterwards logits hold p, and loss -ln p[next]. */
static inline void model_forward(const Model *model, const Batch *batch, Layers *layers, size_t first, size_t last) {
    float *h = layers->h + (first - layers->first) * padded(model->dim), *logits = layers->logits + (first - layers->first) * LOGITS;
    double *log_sum = layers->log_sum + (first - layers->first);
    contexts_forward(model, batch, first, last, h);
    linear_forward(model, h, last - first, logits);
    for (size_t b = first; b < last; b++) {
        layers->loss[b] = 0;
        for (uint32_t i = batch->next_start[b]; i < batch->next_start[b + 1]; i++)
            layers->loss[b] -= (double)logits[(b - first) * LOGITS + batch->next[i]];
    }
    softmax(logits, last - first, log_sum);
    for (size_t b = first; b < last; b++) layers->loss[b] += times(batch, b) * log_sum[b - first];
}

/* ---- backward ---------------------------------------------------------------------------------- */

/* Cross-entropy and Linear, for contexts first .. last - 1: p -> dlogits = the sum over a context's positions of
   (p - onehot(next)) / positions, and dh = linear.weight^T dlogits. */
static inline void model_backward(const Model *model, const Batch *batch, Layers *layers, size_t first, size_t last) {
    size_t stride = padded(model->dim);
    float one = 1 / (float)batch->next_start[batch->size], *logits = layers->logits + (first - layers->first) * LOGITS;
    for (size_t b = first; b < last; b++) {
        float *dlogits = logits + (b - first) * LOGITS, scale = (float)times(batch, b) * one;
        for (size_t c = 0; c < LOGITS; c++) dlogits[c] *= scale;
        for (uint32_t i = batch->next_start[b]; i < batch->next_start[b + 1]; i++) dlogits[batch->next[i]] -= one;
    }
    multiply(last - first, stride, CHARACTERS, logits, LOGITS, 1, model->linear, stride, NULL, 0, layers->dh + first * stride, stride);
}

/* gradient (of one part) += d linear.weight and d linear.bias over the first `count` contexts of the layers; or = when not to add. */
static inline void linear_gradient(const Model *model, const Layers *layers, size_t count, bool add, float *gradient) {
    size_t stride = padded(model->dim);
    float *bias = gradient + CHARACTERS * stride;
    multiply(CHARACTERS, stride, count, layers->logits, 1, LOGITS, layers->h, stride, add ? gradient : NULL, stride, gradient, stride);
    const float one = 1; /* the bias is a weight whose input is always 1 */
    multiply(1, LOGITS, count, &one, 0, 0, layers->logits, LOGITS, add ? bias : NULL, 0, bias, LOGITS);
}

/* d embedding.weight of the u-th distinct row: dh, summed over the contexts where the row is on; gradient [padded(dim)]. */
static inline void embedding_gradient(const Model *model, const Batch *batch, const Layers *layers, size_t u, float *gradient) {
    uint32_t first = batch->where_start[u], last = batch->where_start[u + 1];
    sum_rows(layers->dh, padded(model->dim), model->dim, batch->where + first, last - first, gradient);
}

/* ---- update ------------------------------------------------------------------------------------ */

typedef enum { ADAGRAD, SGD } Rule;

/* How gradients become steps; the names are PyTorch's. */
typedef struct {
    Rule rule;
    float embedding_rate, linear_rate;   /* learning rates of this batch */
    bool freeze_embedding;               /* nn.Embedding.from_pretrained(freeze=True) */
    bool scale_grad_by_freq;             /* a row's gradient is divided by how often it is on in the batch */
    float max_norm, norm_type;           /* rows that are on are shortened to max_norm first; 0: never */
    float *embedding_sum;                /* [rows, dim] Adagrad: sums of squared gradients */
    float *linear_sum;                   /* [100, padded(dim)] */
    float *bias_sum;                     /* [LOGITS] */
} Optimizer;

/* Vectors of weights by Adagrad (Duchi, Hazan, Singer 2011; torch.optim.Adagrad): sum += g^2, w -= rate g / (sqrt(sum) + 1e-10),
   the last taken as rate g times the smaller of 1 / sqrt(sum) and 1e10. */
static inline __attribute__((always_inline)) void adagrads(float rate, const Floats *g, Floats *sum, Floats *w, const int vectors) {
    Floats squares[TOGETHER], inverse[TOGETHER];
    for (int i = 0; i < vectors; i++) squares[i] = sum[i] + g[i] * g[i];
    exact_inverse_roots(squares, inverse, vectors);
    for (int i = 0; i < vectors; i++) sum[i] = squares[i];
    for (int i = 0; i < vectors; i++) w[i] -= rate * (g[i] * inverse[i]);
}

/* Updates `count` weights; SGD: w -= rate g. */
static inline void update(Rule rule, float rate, size_t count, const float *gradient, float *sum, float *weights) {
    size_t i = 0;
    if (rule == SGD) {
        for (; i < count; i++) weights[i] -= rate * gradient[i];
        return;
    }
    for (; i + 32 <= count; i += 32) adagrads(rate, (const Floats *)(gradient + i), (Floats *)(sum + i), (Floats *)(weights + i), TOGETHER);
    for (; i + LANES <= count; i += LANES) adagrads(rate, (const Floats *)(gradient + i), (Floats *)(sum + i), (Floats *)(weights + i), 1);
    if (i == count) return;
    Floats part[3] = {{0}}; /* what is left over, in whole vectors */
    size_t bytes = (count - i) * sizeof(float);
    memcpy(&part[0], gradient + i, bytes);
    memcpy(&part[1], sum + i, bytes);
    memcpy(&part[2], weights + i, bytes);
    adagrads(rate, &part[0], &part[1], &part[2], 1);
    memcpy(sum + i, &part[1], bytes);
    memcpy(weights + i, &part[2], bytes);
}

/* Where sums begin; SGD has none. */
static inline float *sums_at(float *sums, size_t place) { return sums ? sums + place : NULL; }

/* The characters first .. last - 1, from the sum of the gradients of `parts` parts. */
static inline void linear_update(Model *model, Optimizer *optimizer, const Layers *layers, size_t parts, size_t first, size_t last) {
    size_t stride = padded(model->dim), size = gradient_size(model->dim);
    float *weight = layers->gradient + first * stride, *bias = layers->gradient + CHARACTERS * stride + first;
    for (size_t part = 1; part < parts; part++) {
        for (size_t i = 0; i < (last - first) * stride; i++) weight[i] += weight[part * size + i];
        for (size_t i = 0; i < last - first; i++) bias[i] += bias[part * size + i];
    }
    update(optimizer->rule, optimizer->linear_rate, (last - first) * stride, weight, sums_at(optimizer->linear_sum, first * stride), model->linear + first * stride);
    update(optimizer->rule, optimizer->linear_rate, last - first, bias, sums_at(optimizer->bias_sum, first), model->bias + first);
    model_turn(model, first, last);
}

static inline __attribute__((always_inline)) void ask_for_sums(const Model *model, const Optimizer *optimizer, uint32_t row) {
    if (optimizer->rule == ADAGRAD && !optimizer->freeze_embedding) prefetch_row(optimizer->embedding_sum + row * model->dim, model->dim);
}

/* One row; frequency: at how many of the batch's positions it is on. */
static inline void row_update(Model *model, Optimizer *optimizer, uint32_t row, const float *gradient, size_t frequency) {
    size_t place = row * model->dim;
    float scaled[MAX_DIM];
    if (optimizer->scale_grad_by_freq) {
        for (size_t d = 0; d < model->dim; d++) scaled[d] = gradient[d] / (float)frequency;
        gradient = scaled;
    }
    update(optimizer->rule, optimizer->embedding_rate, model->dim, gradient, sums_at(optimizer->embedding_sum, place), model->embedding + place);
}

/* The rows that are on at one of the contexts first .. last - 1 and nowhere else in the batch: dh is their gradient. */
static inline void embedding_update(Model *model, Optimizer *optimizer, const Batch *batch, const Layers *layers, size_t first, size_t last) {
    for (size_t b = first; b < last; b++)
        for (uint32_t i = batch->on_start[b]; i < batch->on_start[b + 1]; i++) {
            const uint32_t *where = batch->where_start + batch->number_of[i];
            if (where[1] - where[0] == 1) row_update(model, optimizer, batch->on[i], layers->dh + b * padded(model->dim), times(batch, b));
        }
}

/* The rows first .. last - 1 of those that are on at several contexts. Their sums have been asked for, but maybe by another member. */
static inline void shared_update(Model *model, Optimizer *optimizer, const Batch *batch, const Layers *layers, size_t first, size_t last) {
    float gradient[MAX_DIM]; /* MAX_DIM is a multiple of LANES */
    for (size_t s = first; s < last; s++) ask_for_sums(model, optimizer, batch->row[batch->shared_row[s]]);
    for (size_t s = first; s < last; s++) {
        size_t u = batch->shared_row[s], frequency = 0;
        for (uint32_t i = batch->where_start[u]; i < batch->where_start[u + 1]; i++) frequency += times(batch, batch->where[i]);
        embedding_gradient(model, batch, layers, u, gradient);
        row_update(model, optimizer, batch->row[u], gradient, frequency);
    }
}

/* nn.Embedding's max_norm: before a row is used, a longer one is scaled down to that norm (to 1e-7). */
static inline void embedding_limit(Model *model, const Optimizer *optimizer, const Batch *batch, size_t first, size_t last) {
    for (size_t u = first; u < last; u++) {
        float *row = model->embedding + batch->row[u] * model->dim;
        double norm = exact_norm(row, model->dim, (double)optimizer->norm_type);
        if (norm <= (double)optimizer->max_norm) continue;
        float scale = (float)((double)optimizer->max_norm / (norm + 1e-7));
        for (size_t d = 0; d < model->dim; d++) row[d] *= scale;
    }
}

/* ---- one step ---------------------------------------------------------------------------------- */

/* The mean loss of a batch, in nats per position. */
static inline double mean_loss(const Batch *batch, const Layers *layers) {
    double sum = 0;
    for (size_t b = 0; b < batch->size; b++) sum += layers->loss[b];
    return sum / (double)batch->next_start[batch->size];
}

/* model_backward; meanwhile the rows' sums of squares are asked for, always for as many contexts as multiply takes at a time. */
static inline void piece_backward(const Model *model, const Optimizer *optimizer, const Batch *batch, Layers *layers, size_t first, size_t last) {
    for (size_t b = first, end; b < last; b = end) {
        end = least(b + HIGH, last);
        for (uint32_t i = batch->on_start[b]; i < batch->on_start[end]; i++) ask_for_sums(model, optimizer, batch->on[i]);
        model_backward(model, batch, layers, b, end);
    }
}

/* Forward and backward for one part of the batch; and the steps of rows that no other context of the batch has on. */
static inline void part_step(Model *model, Optimizer *optimizer, const Batch *batch, Layers *layers, int member, size_t part) {
    size_t size = part_size(batch->size), begin = part * size, end = least(begin + size, batch->size);
    for (size_t first = begin, last; first < end; first = last) {
        last = least(first + PIECE, end);
        Layers own = layers_of(layers, model->dim, member, first);
        model_forward(model, batch, &own, first, last);
        piece_backward(model, optimizer, batch, &own, first, last);
        linear_gradient(model, &own, last - first, first > begin, layers->gradient + part * gradient_size(model->dim));
        if (!optimizer->freeze_embedding) embedding_update(model, optimizer, batch, &own, first, last);
    }
}

/* first .. last - 1 */
typedef struct {
    size_t first, last;
} Range;

/* The member's share of `count` things that stand in an order, about the same ones in every step: contexts stand in the order
   of their rows, so that most rows are always one member's, and in its cache. */
static inline Range share(size_t count, const Team *team, int member) {
    size_t members = (size_t)team_size(team), m = (size_t)member;
    return (Range){m * count / members, (m + 1) * count / members};
}

/* Learns from one batch; every member of the team calls this for the same one, each with an optimizer of its own whose
   numbers are the same. A step begins when all have arrived: only then, or at the end of the team's task, is all of the last
   one done. mean_loss is for member 0 to read. */
static inline void model_step(Model *model, Optimizer *optimizer, const Batch *batch, Layers *layers, Team *team, int member) {
    team_meet(team);
    if (optimizer->max_norm > 0) {
        Range distinct = share(batch->distinct, team, member);
        embedding_limit(model, optimizer, batch, distinct.first, distinct.last);
        team_meet(team);
    }
    size_t part_count = parts_of(batch->size);
    Range parts = share(part_count, team, member), vectors = share(LOGITS / LANES, team, member), shared = share(batch->shared, team, member);
    for (size_t part = parts.first; part < parts.last; part++) part_step(model, optimizer, batch, layers, member, part);
    team_meet(team);
    if (member == 0) layers->mean_loss = mean_loss(batch, layers);
    linear_update(model, optimizer, layers, part_count, vectors.first * LANES, least(vectors.last * LANES, CHARACTERS));
    if (!optimizer->freeze_embedding) shared_update(model, optimizer, batch, layers, shared.first, shared.last);
}

#endif
