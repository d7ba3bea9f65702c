/* attention.h: one head of self-attention, forward and backward in plain loops.

   Sentence-BERT (Reimers and Gurevych 2019) makes the vector of a sentence so; here are one layer
   and one head. Token i has a row for its word and a row for its place:

       x[i]             = embedding.weight[word] + embedding.weight[place]         [HEAD]
       q[i], k[i], v[i] = linear.weight x[i] + linear.bias: query, key, value      [HEAD] each
       a[i][j]          = softmax over j of q[i] . k[j] / sqrt(HEAD)
       y[i]             = x[i] + sum over j of a[i][j] v[j]                        [HEAD]
       the sentence     = mean over i of y[i]                                      [HEAD]

   Only ./wtf uses it: the models of ./train have no attention. */
#ifndef ATTENTION_H
#define ATTENTION_H

#include "../model.h"

enum { HEAD = 10, MAX_TOKENS = 8 };

typedef struct {
    size_t n;                     /* tokens */
    uint32_t bags[MAX_TOKENS][2]; /* the rows of each: its word's and its place's */
    float x[MAX_TOKENS][HEAD], y[MAX_TOKENS][HEAD], mean[HEAD];
    float qkv[MAX_TOKENS][CHARACTERS]; /* query, key, value: the first 30 outputs of linear */
    float a[MAX_TOKENS][MAX_TOKENS];   /* how much token i takes from token j; a row sums to 1 */
} Sentence;

static inline float dot(const float *a, const float *b) {
    float sum = 0;
    for (size_t d = 0; d < HEAD; d++) sum += a[d] * b[d];
    return sum;
}

/* Fills x, qkv, a, y and mean from bags. The model's dim is HEAD. */
static inline void attention_forward(const Model *model, Sentence *s) {
    const float scale = 1 / sqrtf(HEAD);
    for (size_t i = 0; i < s->n; i++) {
        embedding_forward(model, s->bags[i], 2, s->x[i]);
        linear_forward(model, s->x[i], s->qkv[i]);
    }
    memset(s->mean, 0, sizeof s->mean);
    for (size_t i = 0; i < s->n; i++) {
        float sum = 0;
        for (size_t j = 0; j < s->n; j++) {
            s->a[i][j] = exact_exp(dot(s->qkv[i], s->qkv[j] + HEAD) * scale);
            sum += s->a[i][j];
        }
        memcpy(s->y[i], s->x[i], sizeof s->y[i]);
        for (size_t j = 0; j < s->n; j++) {
            s->a[i][j] /= sum;
            for (size_t d = 0; d < HEAD; d++) s->y[i][d] += s->a[i][j] * s->qkv[j][2 * HEAD + d];
        }
        for (size_t d = 0; d < HEAD; d++) s->mean[d] += s->y[i][d] / s->n;
    }
}

/* Adds the gradients of all parameters to gradient, given the gradient of the mean [HEAD]. */
static inline void attention_backward(const Model *model, Model *gradient, const Sentence *s,
                                      const float *dmean) {
    const float scale = 1 / sqrtf(HEAD);
    float dqkv[MAX_TOKENS][CHARACTERS] = {{0}}, dy[HEAD], dx[HEAD];
    for (size_t d = 0; d < HEAD; d++) dy[d] = dmean[d] / s->n; /* the same for each token */
    for (size_t i = 0; i < s->n; i++) {
        float da[MAX_TOKENS], inner = 0;
        for (size_t j = 0; j < s->n; j++) {
            da[j] = dot(dy, s->qkv[j] + 2 * HEAD);
            inner += s->a[i][j] * da[j];
        }
        for (size_t j = 0; j < s->n; j++) {
            float dscore = s->a[i][j] * (da[j] - inner) * scale;
            for (size_t d = 0; d < HEAD; d++) {
                dqkv[i][d] += dscore * s->qkv[j][HEAD + d];
                dqkv[j][HEAD + d] += dscore * s->qkv[i][d];
                dqkv[j][2 * HEAD + d] += s->a[i][j] * dy[d];
            }
        }
    }
    for (size_t i = 0; i < s->n; i++) {
        linear_backward(model, gradient, s->x[i], dqkv[i], dx);
        for (size_t d = 0; d < HEAD; d++) dx[d] += dy[d];
        embedding_backward(gradient, s->bags[i], 2, dx);
    }
}

/* da, db [HEAD] = dcosine times the gradients of the cosine of a and b. */
static inline void cosine_backward(const float *a, const float *b, float dcosine, float *da,
                                   float *db) {
    float aa = dot(a, a), bb = dot(b, b), lengths = sqrtf(aa * bb), c = dot(a, b) / lengths;
    for (size_t d = 0; d < HEAD; d++) {
        da[d] = dcosine * (b[d] / lengths - c * a[d] / aa);
        db[d] = dcosine * (a[d] / lengths - c * b[d] / bb);
    }
}

#endif
