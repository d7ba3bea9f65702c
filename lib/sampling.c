#include "sampling.h"

#include "fail.h"

#include <string.h>

/* Where the text after the last `mark` begins, 0 when there is no mark with a text before it. */
static size_t behind_last(const uint8_t *ids, size_t length, const char *mark) {
    size_t marks = strlen(mark);
    for (size_t end = length; end > marks; end--) {
        size_t same = 0;
        while (same < marks && character_of(ids[end - marks + same]) == mark[same]) same++;
        if (same == marks) return end;
    }
    return 0;
}

void find_opening(const uint8_t *ids, size_t length, char *opening) {
    static const char *const marks[] = {"\n\n", "\n", " "};
    size_t end = 0;
    for (size_t m = 0; m < 3 && end == 0; m++) end = behind_last(ids, length, marks[m]);
    if (end == 0) end = length;
    for (size_t i = end > OPENING ? end - OPENING : 0; i < end; i++)
        *opening++ = character_of(ids[i]);
    *opening = '\0';
}

void stream_begin(Stream *stream, const SavedModel *saved) {
    const Vocabulary *vocabulary = &saved->vocabulary;
    const char *opening = metadata_find(&saved->file, "opening");
    uint8_t end = (uint8_t)id_of('\n');
    if (!opening || !*opening) {
        opening = vocabulary->count[end] ? "\n" : "";
        if (string_row(vocabulary, NGRAM_ROWS, (uint8_t[]){end, end}, 2) != NO_ROW)
            opening = "\n\n";
    }
    for (; *opening; opening++)
        if (id_of((unsigned char)*opening) >= 0)
            stream_push(stream, (uint8_t)id_of((unsigned char)*opening));
}

void shorten_rows(SavedModel *saved) {
    Optimizer optimizer = {.max_norm = metadata_number(&saved->file, "max-norm", 0),
                           .norm_type = metadata_number(&saved->file, "norm-type", 2)};
    size_t dim = saved->model.dim;
    for (size_t r = 0; optimizer.max_norm > 0 && r < saved->model.rows; r++)
        embedding_renorm(&optimizer, dim, saved->model.embedding + r * dim);
}

bool finite_logits(const SavedModel *saved, const Stream *stream, float *logits) {
    uint32_t rows[MAX_BAG];
    size_t count = stream_rows(stream, rows), dim = saved->model.dim;
    bag_logits(&saved->step, rows, count, logits);
    bool finite = all_finite(logits, CHARACTERS);
    for (size_t i = 0; !finite && i < count; i++)
        require_finite(saved->model.embedding + rows[i] * dim, dim);
    if (!finite) require_finite(saved->model.linear, linear_size(dim));
    mask_unseen(&saved->vocabulary, logits);
    return finite;
}

void next_logits(const SavedModel *saved, const Stream *stream, float *logits) {
    if (!finite_logits(saved, stream, logits))
        fail("the model's numbers are so large that a sum of them is not finite; train it again");
}

bool counts_known(const Vocabulary *vocabulary) {
    bool known = false;
    for (size_t c = 0; c < CHARACTERS; c++) known |= vocabulary->count[c] > 0;
    return known;
}

void mask_unseen(const Vocabulary *vocabulary, float *logits) {
    bool known = counts_known(vocabulary);
    for (size_t c = 0; c < CHARACTERS; c++)
        if (known && !vocabulary->count[c]) logits[c] = -INFINITY;
}

void tempered_softmax(const float *logits, double temperature, float *p) {
    float power[LOGITS] = {0}, inverse = (float)(1 / temperature);
    for (size_t c = 0; c < CHARACTERS; c++) power[c] = logits[c] * inverse;
    exponentials_of_100(power, largest_of_100(power));
    float total = sum_of_100(power);
    for (size_t c = 0; c < CHARACTERS; c++) /* exact_expf never gives 0 */
        p[c] = logits[c] > -INFINITY ? power[c] * (1 / total) : 0;
}

void rank_characters(const float *values, Scored *ranked) {
    for (uint32_t c = 0; c < CHARACTERS; c++) ranked[c] = (Scored){(double)values[c], c};
    sort_scored(ranked, CHARACTERS);
}

/* Sets p [100] to 0 but for the likeliest that top_k and top_p keep; returns the sum of these. */
static float keep_likeliest(float *p, Sampling sampling) {
    Scored ranked[CHARACTERS];
    size_t most = sampling.top_k ? sampling.top_k : CHARACTERS, count = 0;
    float total = 0;
    rank_characters(p, ranked);
    while (count < most && (count == 0 || total < (float)sampling.top_p))
        total += p[ranked[count++].row];
    while (count < CHARACTERS) p[ranked[count++].row] = 0;
    return total;
}

/* The character of the largest logit; of the first one where several are as large. */
static uint8_t likeliest(const float *logits) {
    float largest = largest_of_100(logits);
    uint8_t best = 0;
    while (logits[best] != largest) best++;
    return best;
}

uint8_t draw_character(const float *logits, Sampling sampling, Random *random) {
    float p[CHARACTERS], total = 1;
    if (sampling.top_k == 1 || sampling.temperature < 1e-3) return likeliest(logits);
    tempered_softmax(logits, sampling.temperature, p);
    if (sampling.top_k || sampling.top_p < 1) total = keep_likeliest(p, sampling);
    float draw = random_uniform(random) * total;
    for (uint8_t c = 0; c < CHARACTERS; c++)
        if ((draw -= p[c]) < 0) return c;
    return likeliest(logits); /* by rounding the sum of all p may be a hair below total */
}
