/* model.h: Embedding -> Linear -> softmax, and how backpropagation trains them. Everything is here.

   The model is nn.EmbeddingBag(mode="sum") -> nn.Linear. A context, the text before a character, is
   a bag of rows of one table; their sum goes through one linear layer; softmax makes probabilities
   of the next character:

       h      = sum of embedding.weight[r] over the rows r of the bag       [dim]
       logits = linear.weight h + linear.bias                               [100]
       p      = softmax(logits),   loss = -ln p[target]                     nats

   With one row a bag, the last character's, this is nn.Embedding(100, dim) -> nn.Linear(dim, 100).
   The gradients follow from the chain rule, for the mean loss of a batch of B positions:

       dlogits = (p - onehot(target)) / B      d linear.weight = sum over positions of dlogits h^T
       dh      = linear.weight^T dlogits       d linear.bias   = sum over positions of dlogits
       d embedding.weight[r] = sum of dh over the positions whose bag has row r; other rows: nothing

   So a look-up table is trained like any other layer: the gradient that arrives at the sum is
   handed to each row that was looked up. These plain loops say what is computed; lib/step.c
   computes the same bits faster, on all cores. A test compares them; --reference runs this file. */
#ifndef MODEL_H
#define MODEL_H

#include "lib/exact.h"
#include "lib/random.h"

#include <stdbool.h>
#include <string.h>

#define CHARACTERS 100 /* the rows 0..99 and the logits; lib/characters.h has the same line */
enum { MAX_DIM = 4096 };

/* The parameters. Gradients and Adagrad's sums have the same shape. Memory is the caller's. */
typedef struct {
    size_t rows, dim;
    float *embedding; /* [rows, dim] embedding.weight; rows 0..99 are the characters' */
    float *linear;    /* [100, dim] linear.weight, and right behind it */
    float *bias;      /* [100] linear.bias */
} Model;

static inline size_t linear_size(size_t dim) { return CHARACTERS * dim + CHARACTERS; }

/* Starts as PyTorch does: rows 0..99 from N(0, deviation), linear.weight and linear.bias from
   U(-1/sqrt dim, 1/sqrt dim). Rows from 100 up must be zeros: backpropagation writes them. */
static inline void model_start(Model *model, Random *random, float deviation) {
    float bound = (float)(1 / sqrt((double)model->dim));
    random_normal(random, model->embedding, CHARACTERS * model->dim, deviation);
    random_uniforms(random, model->linear, linear_size(model->dim), bound);
}

/* A batch of positions, as nn.EmbeddingBag takes it. Positions with the same context may share a
   bag: then the bag has a target for each of them. */
typedef struct {
    size_t bags, positions, distinct;
    uint32_t *offsets; /* [bags + 1] bag b is indices[offsets[b]] to indices[offsets[b + 1] - 1] */
    uint32_t *indices; /* rows of the embedding, no row twice in one bag */
    uint32_t *target_offsets; /* [bags + 1] the same for the targets of each bag */
    uint8_t *targets;         /* [positions] the characters that come next, 0..99 */
    uint32_t *rows;           /* [distinct] every row among the indices, once */
    uint32_t *frequency;      /* [distinct] in the bags of how many positions it is */
} Batch;

/* Embedding: h [dim] = the sum of the rows bag[0], ..., bag[n - 1], in this order. */
static inline void embedding_forward(const Model *model, const uint32_t *bag, size_t n, float *h) {
    for (size_t d = 0; d < model->dim; d++) h[d] = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < model->dim; d++) h[d] += model->embedding[bag[i] * model->dim + d];
}

/* Embedding, backward: each row of the bag gets dh [dim]. */
static inline void embedding_backward(Model *gradient, const uint32_t *bag, size_t n,
                                      const float *dh) {
    size_t dim = gradient->dim;
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < dim; d++) gradient->embedding[bag[i] * dim + d] += dh[d];
}

/* Linear: logits [100] = linear.weight h + linear.bias. */
static inline void linear_forward(const Model *model, const float *h, float *logits) {
    const float *weight = model->linear;
    for (size_t c = 0; c < CHARACTERS; c++, weight += model->dim) {
        logits[c] = model->bias[c];
        for (size_t d = 0; d < model->dim; d++) logits[c] += h[d] * weight[d];
    }
}

/* Linear, backward: dh [dim] = linear.weight^T dlogits; the gradient gets dlogits h^T, dlogits. */
static inline void linear_backward(const Model *model, Model *gradient, const float *h,
                                   const float *dlogits, float *dh) {
    size_t dim = model->dim;
    for (size_t d = 0; d < dim; d++) dh[d] = 0;
    for (size_t c = 0; c < CHARACTERS; c++) {
        for (size_t d = 0; d < dim; d++) dh[d] += dlogits[c] * model->linear[c * dim + d];
        for (size_t d = 0; d < dim; d++) gradient->linear[c * dim + d] += dlogits[c] * h[d];
        gradient->bias[c] += dlogits[c];
    }
}

/* Softmax: logits [100] become p, in place; returns ln of the sum of exp(logit). The largest logit
   is taken away first, so that nothing overflows. The sum runs in 20 chains: processors follow
   several at the same time. */
static inline double softmax(float *logits) {
    float largest = logits[0], chain[20] = {0}, sum = 0;
    for (size_t c = 1; c < CHARACTERS; c++) largest = logits[c] > largest ? logits[c] : largest;
    for (size_t c = 0; c < CHARACTERS; c++) logits[c] = exact_expf(logits[c] - largest);
    for (size_t c = 0; c < CHARACTERS; c++) chain[c % 20] += logits[c];
    for (size_t i = 0; i < 20; i++) sum += chain[i];
    for (size_t c = 0; c < CHARACTERS; c++) logits[c] *= 1 / sum;
    return (double)largest + exact_log((double)sum);
}

/* Cross-entropy: logits [100] become p, in place; returns the sum of -ln p[target], n targets. */
static inline double cross_entropy_forward(float *logits, const uint8_t *targets, size_t n) {
    double loss = 0;
    for (size_t i = 0; i < n; i++) loss -= (double)logits[targets[i]];
    return loss + (double)n * softmax(logits);
}

/* Cross-entropy, backward: p [100] become dlogits, in place: (p - onehot(target)) / positions,
   summed over n targets. */
static inline void cross_entropy_backward(float *p, const uint8_t *targets, size_t n,
                                          size_t positions) {
    float share = 1 / (float)positions;
    for (size_t c = 0; c < CHARACTERS; c++) p[c] *= (float)n * share;
    for (size_t i = 0; i < n; i++) p[targets[i]] -= share;
}

/* How gradients change parameters; the names are PyTorch's. */
typedef struct {
    bool sgd;                      /* torch.optim.SGD; otherwise torch.optim.Adagrad */
    float embedding_lr, linear_lr; /* learning rates of this step */
    bool freeze_embedding;         /* as nn.Embedding.from_pretrained(freeze=True) */
    bool scale_grad_by_freq;       /* a row's gradient is divided by its frequency in the batch */
    double max_norm, norm_type;    /* see embedding_renorm; max_norm 0: never */
} Optimizer;

/* nn.Embedding's max_norm: a row [dim] that is looked up is shortened when it is longer. */
static inline void embedding_renorm(const Optimizer *optimizer, size_t dim, float *row) {
    double norm = exact_norm(row, dim, optimizer->norm_type);
    float scale = (float)(optimizer->max_norm / (norm + 1e-7));
    for (size_t d = 0; norm > optimizer->max_norm && d < dim; d++) row[d] *= scale;
}

/* SGD: w -= lr g. Adagrad (Duchi, Hazan and Singer 2011) divides g by sqrt(sum) + 1e-10, where sum
   adds up the squares of all gradients so far. All arrays have n numbers. */
static inline void update(const Optimizer *optimizer, float lr, size_t n, const float *gradient,
                          float *sum, float *w) {
    for (size_t i = 0; optimizer->sgd && i < n; i++) w[i] -= lr * gradient[i];
    for (size_t i = 0; !optimizer->sgd && i < n; i++) {
        sum[i] += gradient[i] * gradient[i];
        w[i] -= lr * (gradient[i] / (sqrtf(sum[i]) + 1e-10f));
    }
}

/* What is trained; Adagrad's sums; gradients, which are zeros between steps. */
typedef struct {
    Model model, sum, gradient;
} Training;

/* Forward and backward for bag b: adds to the gradients, returns the loss over its targets. */
static inline double train_bag(Training *training, const Batch *batch, size_t b) {
    const uint32_t *bag = batch->indices + batch->offsets[b];
    const uint8_t *targets = batch->targets + batch->target_offsets[b];
    size_t n = batch->offsets[b + 1] - batch->offsets[b];
    size_t count = batch->target_offsets[b + 1] - batch->target_offsets[b];
    float h[MAX_DIM], dh[MAX_DIM], p[CHARACTERS];
    embedding_forward(&training->model, bag, n, h);
    linear_forward(&training->model, h, p);
    double loss = cross_entropy_forward(p, targets, count);
    cross_entropy_backward(p, targets, count, batch->positions);
    linear_backward(&training->model, &training->gradient, h, p, dh);
    embedding_backward(&training->gradient, bag, n, dh);
    return loss;
}

/* Learns from one batch. Returns its mean loss before the step, in nats per position. */
static inline double train_step(Training *training, const Optimizer *optimizer,
                                const Batch *batch) {
    Model *model = &training->model, *sum = &training->sum, *gradient = &training->gradient;
    size_t dim = model->dim, linear = linear_size(dim);
    double loss = 0;
    for (size_t u = 0; optimizer->max_norm > 0 && u < batch->distinct; u++)
        embedding_renorm(optimizer, dim, model->embedding + batch->rows[u] * dim);
    for (size_t b = 0; b < batch->bags; b++) loss += train_bag(training, batch, b);
    update(optimizer, optimizer->linear_lr, linear, gradient->linear, sum->linear, model->linear);
    memset(gradient->linear, 0, linear * sizeof(float));
    for (size_t u = 0; u < batch->distinct; u++) {
        size_t at = batch->rows[u] * dim;
        float *g = gradient->embedding + at, lr = optimizer->embedding_lr;
        for (size_t d = 0; optimizer->scale_grad_by_freq && d < dim; d++)
            g[d] /= (float)batch->frequency[u];
        if (!optimizer->freeze_embedding)
            update(optimizer, lr, dim, g, sum->embedding + at, model->embedding + at);
        memset(g, 0, dim * sizeof *g);
    }
    return loss / (double)batch->positions;
}

#endif
