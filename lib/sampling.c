#include "sampling.h"

#include "fail.h"

#include <stdlib.h>

void stream_begin(Stream *stream, const Vocabulary *vocabulary) {
    uint8_t line_end = (uint8_t)id_of('\n');
    bool blank_line = ngram_row(vocabulary, (uint8_t[]){line_end, line_end}, 2) != NO_ROW;
    if (blank_line) stream_push(stream, line_end);
    if (blank_line || vocabulary->count[line_end]) stream_push(stream, line_end);
}

bool finite_logits(const SavedModel *saved, const Stream *stream, float *logits) {
    uint32_t rows[MAX_BAG];
    size_t count = stream_rows(stream, rows);
    bag_logits(&saved->workspace, &saved->model, rows, count, logits);
    if (all_finite(logits, CHARACTERS)) return true;
    for (size_t i = 0; i < count; i++)
        require_finite(saved->model.embedding + rows[i] * saved->model.dim, saved->model.dim);
    require_finite(saved->model.linear, linear_size(saved->model.dim));
    return false;
}

void next_logits(const SavedModel *saved, const Stream *stream, float *logits) {
    if (!finite_logits(saved, stream, logits))
        fail("the model's numbers are so large that a sum of them is not finite; train it again");
}

static int more_likely(const void *a, const void *b) {
    const Candidate *x = a, *y = b;
    if (x->value != y->value) return x->value > y->value ? -1 : 1;
    return (int)x->id - (int)y->id;
}

void rank_characters(const double *values, Candidate *candidates) {
    for (uint8_t c = 0; c < CHARACTERS; c++) candidates[c] = (Candidate){values[c], c};
    qsort(candidates, CHARACTERS, sizeof *candidates, more_likely);
}

uint8_t draw_character(float *logits, Sampling sampling, Random *random) {
    size_t best = 0;
    for (size_t c = 1; c < CHARACTERS; c++)
        if (logits[c] > logits[best]) best = c;
    if (sampling.top_k == 1 || sampling.temperature < 1e-3) return (uint8_t)best;
    float inverse = (float)(1 / sampling.temperature);
    for (size_t c = 0; c < CHARACTERS; c++) logits[c] *= inverse;
    softmax(logits);
    float draw = random_uniform(random);
    if (!sampling.top_k && sampling.top_p >= 1) {
        for (size_t c = 0; c < CHARACTERS; c++)
            if ((draw -= logits[c]) < 0) return (uint8_t)c;
        return (uint8_t)best; /* rounding left a little: the sum of all p is a hair below 1 */
    }
    double values[CHARACTERS];
    Candidate candidates[CHARACTERS];
    for (size_t c = 0; c < CHARACTERS; c++) values[c] = (double)logits[c];
    rank_characters(values, candidates);
    size_t kept = sampling.top_k && sampling.top_k < CHARACTERS ? sampling.top_k : CHARACTERS, count = 0;
    float total = 0;
    while (count < kept && (count == 0 || total < (float)sampling.top_p))
        total += (float)candidates[count++].value;
    draw *= total;
    for (size_t i = 0; i < count; i++)
        if ((draw -= (float)candidates[i].value) < 0) return candidates[i].id;
    return candidates[0].id;
}
