#include "step.h"

#include "memory.h"

#include <stdlib.h>

Model model_allocate(size_t rows, size_t dim) {
    Model model = {.rows = rows, .dim = dim};
    model.embedding = allocate(rows, dim * sizeof(float), "the embedding");
    model.linear = allocate(linear_size(dim), sizeof(float), "the linear layer");
    model.bias = model.linear + CHARACTERS * dim;
    return model;
}

void model_free(Model *model) {
    free(model->embedding);
    free(model->linear);
}

/* ---- batches --------------------------------------------------------------------------------- */

SortedBatch batch_allocate(size_t positions, size_t most) {
    size_t indices = positions * most;
    SortedBatch batch = {0};
    uint32_t *memory = allocate(2 * (positions + 1) + 7 * indices + 1, sizeof *memory, "a batch");
    batch.batch.offsets = memory;
    batch.batch.target_offsets = batch.batch.offsets + positions + 1;
    batch.batch.indices = batch.batch.target_offsets + positions + 1;
    batch.batch.rows = batch.batch.indices + indices;
    batch.batch.frequency = batch.batch.rows + indices;
    batch.numbers = batch.batch.frequency + indices;
    batch.bags = batch.numbers + indices;
    batch.shared = batch.bags + indices;
    batch.bag_offsets = batch.shared + indices;
    batch.batch.targets = allocate(positions, 1, "a batch");
    batch.sorted = allocate(2 * positions, sizeof(uint64_t), "a batch");
    return batch;
}

void batch_free(SortedBatch *batch) {
    free(batch->batch.offsets);
    free(batch->batch.targets);
    free(batch->sorted);
}

static uint32_t ngram_of(uint64_t position) { return (uint32_t)(position >> ROW_SHIFT); }
static uint8_t target_of(uint64_t position) { return (uint8_t)(position >> TARGET_SHIFT); }
static uint32_t place_of(uint64_t position) { return position & ((1u << TARGET_SHIFT) - 1); }

/* Sorts positions by their n-grams, byte by byte from the last to the first; positions and spare
   take turns. Returns where the result is. */
static const uint64_t *sort_positions(uint64_t *positions, uint64_t *spare, size_t count,
                                      uint64_t largest) {
    for (int shift = ROW_SHIFT; largest; largest >>= 8, shift += 8) {
        uint32_t start[257] = {0};
        for (size_t b = 0; b < count; b++) start[(positions[b] >> shift & 255) + 1]++;
        for (size_t value = 0; value < 255; value++) start[value + 1] += start[value];
        for (size_t b = 0; b < count; b++)
            spare[start[positions[b] >> shift & 255]++] = positions[b];
        uint64_t *sorted = spare;
        spare = positions;
        positions = sorted;
    }
    return positions;
}

/* Numbers the row of index i. mark[r] is row r's number among the distinct rows if that number
   is in use and says r, so mark need not be cleared (Briggs and Torczon 1993, "sparse sets"). */
static inline void add_index(SortedBatch *batch, uint32_t i, uint32_t *mark) {
    Batch *plain = &batch->batch;
    uint32_t row = plain->indices[i], number = mark[row], *count = batch->bag_offsets + 1;
    if (number >= plain->distinct || plain->rows[number] != row) {
        number = mark[row] = (uint32_t)plain->distinct++;
        plain->rows[number] = row;
        count[number] = 0;
    }
    batch->numbers[i] = number;
    count[number]++;
}

/* Lists the bags of each distinct row, by a counting sort: counts stand in bag_offsets[1 + u]. */
static void list_bags(SortedBatch *batch) {
    const Batch *plain = &batch->batch;
    uint32_t *begin = batch->bag_offsets + 1, sum = 0;
    batch->shared_rows = 0;
    for (uint32_t u = 0; u < plain->distinct; u++) {
        uint32_t count = begin[u];
        begin[u] = sum;
        sum += count;
        batch->shared[batch->shared_rows] = u; /* the next one takes its place if it has one bag */
        batch->shared_rows += count > 1;
        plain->frequency[u] = 0;
    }
    batch->bag_offsets[0] = 0;
    for (uint32_t b = 0; b < plain->bags; b++) {
        uint32_t targets = plain->target_offsets[b + 1] - plain->target_offsets[b];
        for (uint32_t i = plain->offsets[b]; i < plain->offsets[b + 1]; i++) {
            uint32_t u = batch->numbers[i];
            batch->bags[begin[u]++] = b; /* in the end begin[u] is where u + 1 begins */
            plain->frequency[u] += targets;
        }
    }
}

/* Brings the parents and marks of all positions' n-grams into the cache, a generation at a time:
   none of these loads waits for another, as they do when one chain is followed to its end. */
static void prefetch_parents(const Vocabulary *vocabulary, const uint64_t *positions, size_t count,
                             uint32_t *row, const uint32_t *mark) {
    enum { GENERATIONS = 5 };
    for (size_t b = 0; b < count; b++)
        row[b] = ngram_of(positions[b]) == vocabulary->end[NGRAM_ROWS] ? 0 : ngram_of(positions[b]);
    for (int g = 0; g < GENERATIONS; g++)
        for (size_t b = 0; b < count; b++) {
            uint32_t parent = g ? vocabulary->parent[row[b]] : NO_ROW;
            if (parent != NO_ROW) row[b] = parent;
            __builtin_prefetch(&vocabulary->parent[row[b]]);
            if (mark) __builtin_prefetch(&mark[row[b]]);
        }
}

void batch_fill(SortedBatch *batch, const Vocabulary *vocabulary, const Beside *beside,
                const uint64_t *positions, size_t count, uint32_t *mark) {
    enum { SOON = 8 };
    Batch *plain = &batch->batch;
    uint32_t end = 0, before = NO_ROW, no_ngram = vocabulary->end[NGRAM_ROWS];
    prefetch_parents(vocabulary, positions, count, batch->bags, mark);
    memcpy(batch->sorted, positions, count * sizeof *positions);
    positions = sort_positions(batch->sorted, batch->sorted + count, count, no_ngram);
    plain->bags = plain->distinct = 0;
    for (uint32_t b = 0; b < count; b++) {
        uint32_t ngram = ngram_of(positions[b]), i = end;
        plain->targets[b] = target_of(positions[b]);
        if (!beside && ngram == before) continue;
        before = ngram;
        plain->target_offsets[plain->bags] = b;
        plain->offsets[plain->bags++] = end;
        if (beside)
            __builtin_prefetch(&beside[place_of(positions[b + SOON < count ? b + SOON : b])]);
        end += (uint32_t)bag_rows(vocabulary, ngram == no_ngram ? NO_ROW : ngram,
                                  beside ? &beside[place_of(positions[b])] : NULL,
                                  plain->indices + end);
        for (; mark && i < end; i++) add_index(batch, i, mark);
    }
    plain->positions = count;
    plain->target_offsets[plain->bags] = (uint32_t)count;
    plain->offsets[plain->bags] = end;
    if (mark) list_bags(batch);
}

/* ---- the step -------------------------------------------------------------------------------- */

/* Bags are computed in pieces of so many, whose rows stay in the second-level cache from the
   look-up to the update. Below, a piece is the bags first .. last - 1. */
enum { PIECE = 32 };

Step step_start(Model model, Model sum, size_t bags) {
    size_t dim = model.dim, row = padded(dim);
    Step step = {.model = model, .sum = sum};
    step.logits = allocate((dim + 1 + bags) * LOGITS + (2 * bags + CHARACTERS) * row, sizeof(float),
                           "a batch");
    step.transpose = step.logits + bags * LOGITS;
    step.h = step.transpose + (dim + 1) * LOGITS;
    step.dh = step.h + bags * row;
    step.gradient = step.dh + bags * row;
    step.loss = allocate(bags, sizeof(double), "a batch");
    step_load(&step);
    return step;
}

void step_free(Step *step) {
    free(step->logits);
    free(step->loss);
}

/* Transposes characters first .. last - 1 of the linear layer. */
static void transpose(Step *step, size_t first, size_t last) {
    size_t dim = step->model.dim;
    for (size_t d = 0; d < dim; d++)
        for (size_t c = first; c < last; c++)
            step->transpose[d * LOGITS + c] = step->model.linear[c * dim + d];
    for (size_t c = first; c < last; c++) step->transpose[dim * LOGITS + c] = step->model.bias[c];
}

void step_load(Step *step) { transpose(step, 0, CHARACTERS); }

/* Rows lie anywhere in memory: those of indices first .. last - 1 are asked for. */
static void prefetch_rows(const float *rows, size_t dim, const uint32_t *indices, size_t first,
                          size_t last) {
    for (size_t i = first; i < last; i++) prefetch_row(rows + indices[i] * dim, dim);
}

/* Both layers for a piece. */
static void forward(const Step *step, const Batch *batch, size_t first, size_t last) {
    enum { AHEAD = 8 };
    const Model *model = &step->model;
    const uint32_t *offsets = batch->offsets;
    size_t dim = model->dim, stride = padded(dim);
    for (size_t b = first; b < last; b++) {
        size_t soon = smaller(b + AHEAD, batch->bags - 1);
        prefetch_rows(model->embedding, dim, batch->indices, offsets[soon], offsets[soon + 1]);
        sum_rows(model->embedding, dim, batch->indices + offsets[b], offsets[b + 1] - offsets[b],
                 step->h + b * stride);
    }
    Matrix logits = {step->logits + first * LOGITS, LOGITS, 1},
           h = {step->h + first * stride, stride, 1};
    Matrix weight = {step->transpose, LOGITS, 1}, bias = {step->transpose + dim * LOGITS, 0, 1};
    matmul(last - first, padded(CHARACTERS), dim, logits, bias, h, weight);
}

/* The losses of a piece, and dlogits: cross_entropy_forward and backward in rounds over the bags,
   so that no bag waits for what is not yet known of itself. */
static void cross_entropy(const Step *step, const Batch *batch, size_t first, size_t last) {
    double logarithm[PIECE];
    float largest[PIECE], total[PIECE];
    const uint32_t *offsets = batch->target_offsets;
    for (size_t b = first; b < last; b++)
        largest[b - first] = largest_of_100(step->logits + b * LOGITS);
    for (size_t b = first; b < last; b++) {
        float *logits = step->logits + b * LOGITS;
        step->loss[b] = 0;
        for (uint32_t i = offsets[b]; i < offsets[b + 1]; i++)
            step->loss[b] -= (double)logits[batch->targets[i]];
        exponentials_of_100(logits, largest[b - first]);
    }
    for (size_t b = first; b < last; b++) total[b - first] = sum_of_100(step->logits + b * LOGITS);
    for (size_t b = 0; b < last - first; b++) logarithm[b] = exact_log((double)total[b]);
    for (size_t b = first; b < last; b++) {
        float *p = step->logits + b * LOGITS, sum = total[b - first];
        size_t n = offsets[b + 1] - offsets[b];
        for (size_t c = 0; c < CHARACTERS; c++) p[c] *= 1 / sum;
        step->loss[b] += (double)n * ((double)largest[b - first] + logarithm[b - first]);
        cross_entropy_backward(p, batch->targets + offsets[b], n, batch->positions);
    }
}

/* dh of a piece. Its rows' sums are asked for: they come while the product is made. */
static void backward(const Step *step, const Batch *batch, size_t first, size_t last) {
    size_t dim = step->model.dim, stride = padded(dim);
    if (step->sum.embedding)
        prefetch_rows(step->sum.embedding, dim, batch->indices, batch->offsets[first],
                      batch->offsets[last]);
    Matrix dlogits = {step->logits + first * LOGITS, LOGITS, 1}, zeros = {0};
    Matrix dh = {step->dh + first * stride, stride, 1}, weight = {step->model.linear, dim, 1};
    matmul(last - first, stride, CHARACTERS, dh, zeros, dlogits, weight);
}

/* Part of Adagrad's sums; SGD has none. */
static float *sums(float *array, size_t at) { return array ? array + at : NULL; }

/* Updates distinct row u of the batch by its gradient [dim]. */
static void update_row(const Step *step, const Optimizer *optimizer, const Batch *batch, uint32_t u,
                       const float *gradient) {
    size_t dim = step->model.dim, at = batch->rows[u] * dim;
    float scaled[MAX_DIM];
    for (size_t d = 0; optimizer->scale_grad_by_freq && d < dim; d++)
        scaled[d] = gradient[d] / (float)batch->frequency[u];
    update(optimizer, optimizer->embedding_lr, dim,
           optimizer->scale_grad_by_freq ? scaled : gradient, sums(step->sum.embedding, at),
           step->model.embedding + at);
}

/* Updates the rows of a piece that are in no other bag: dh is their gradient. */
static void update_own_rows(const Step *step, const Optimizer *optimizer, const SortedBatch *batch,
                            size_t first, size_t last) {
    const uint32_t *offsets = batch->batch.offsets;
    for (size_t b = first; b < last; b++)
        for (uint32_t i = offsets[b]; i < offsets[b + 1]; i++) {
            uint32_t u = batch->numbers[i];
            if (batch->bag_offsets[u + 1] - batch->bag_offsets[u] == 1)
                update_row(step, optimizer, &batch->batch, u,
                           step->dh + b * padded(step->model.dim));
        }
}

/* Updates shared rows first .. last - 1: their gradient is the sum of dh over their bags. */
static void update_shared_rows(const Step *step, const Optimizer *optimizer,
                               const SortedBatch *batch, size_t first, size_t last) {
    size_t dim = step->model.dim;
    float gradient[MAX_DIM];
    for (size_t s = first; step->sum.embedding && s < last; s++)
        prefetch_row(step->sum.embedding + batch->batch.rows[batch->shared[s]] * dim, dim);
    for (size_t s = first; s < last; s++) {
        uint32_t u = batch->shared[s], offset = batch->bag_offsets[u];
        sum_rows(step->dh, padded(dim), batch->bags + offset, batch->bag_offsets[u + 1] - offset,
                 gradient);
        update_row(step, optimizer, &batch->batch, u, gradient);
    }
}

/* Updates characters first .. last - 1 of the linear layer. */
static void update_linear(Step *step, const Optimizer *optimizer, size_t bags, size_t first,
                          size_t last) {
    const Model *model = &step->model, *sum = &step->sum;
    size_t dim = model->dim, stride = padded(dim);
    float bias_gradient[LOGITS], lr = optimizer->linear_lr, one = 1;
    Matrix weight = {step->gradient + first * stride, stride, 1}, start = {0}, zeros = {0};
    Matrix bias = {bias_gradient, 0, 1}, ones = {&one, 0, 0};
    Matrix dlogits = {step->logits + first, LOGITS, 1};
    for (size_t from = 0; from < bags; from += PIECE, start = weight) {
        Matrix transposed = {step->logits + from * LOGITS + first, 1, LOGITS};
        Matrix h = {step->h + from * stride, stride, 1};
        matmul(last - first, stride, smaller(PIECE, bags - from), weight, start, transposed, h);
    }
    /* the bias's gradient: a row of ones, which is one number read again, times dlogits */
    matmul(1, last - first, bags, bias, zeros, ones, dlogits);
    for (size_t c = first; c < last; c++)
        update(optimizer, lr, dim, step->gradient + c * stride, sums(sum->linear, c * dim),
               model->linear + c * dim);
    update(optimizer, lr, last - first, bias_gradient, sums(sum->bias, first), model->bias + first);
    transpose(step, first, last);
}

/* Where the member's share of `count` things begins; the next member's begin is its end. Things
   stand in about the same order in every step, so that most stay one member's, in its cache. */
static size_t share(size_t count, const Team *team, int member) {
    return (size_t)member * count / (size_t)team_size(team);
}

void team_step(Team *team, int member, Step *step, const Optimizer *optimizer,
               const SortedBatch *batch) {
    team_meet(team);
    const Batch *plain = &batch->batch;
    const Model *model = &step->model;
    int next = member + 1;
    if (optimizer->max_norm > 0) {
        size_t end = share(plain->distinct, team, next);
        for (size_t u = share(plain->distinct, team, member); u < end; u++)
            embedding_renorm(optimizer, model->dim, model->embedding + plain->rows[u] * model->dim);
        team_meet(team);
    }
    size_t end = share(plain->bags, team, next);
    for (size_t first = share(plain->bags, team, member); first < end; first += PIECE) {
        size_t last = smaller(first + PIECE, end);
        forward(step, plain, first, last);
        cross_entropy(step, plain, first, last);
        backward(step, plain, first, last);
        if (!optimizer->freeze_embedding) update_own_rows(step, optimizer, batch, first, last);
    }
    team_meet(team);
    const size_t line = 16, lines = LOGITS / line; /* of the cache */
    update_linear(step, optimizer, plain->bags, line * share(lines, team, member),
                  smaller(line * share(lines, team, next), CHARACTERS));
    if (!optimizer->freeze_embedding)
        update_shared_rows(step, optimizer, batch, share(batch->shared_rows, team, member),
                           share(batch->shared_rows, team, next));
    if (member > 0) return;
    double loss = 0;
    for (size_t b = 0; b < plain->bags; b++) loss += step->loss[b];
    step->mean_loss = loss / (double)plain->positions;
}

/* ---- scoring --------------------------------------------------------------------------------- */

void bag_logits(const Step *step, const uint32_t *bag, size_t n, float *logits) {
    size_t dim = step->model.dim;
    float h[MAX_DIM], sum[LOGITS];
    prefetch_rows(step->model.embedding, dim, bag, 0, n);
    sum_rows(step->model.embedding, dim, bag, n, h);
    memcpy(sum, step->transpose + dim * LOGITS, sizeof sum);
    for (size_t d = 0; d < dim; d++)
        for (size_t c = 0; c < LOGITS; c++) sum[c] += h[d] * step->transpose[d * LOGITS + c];
    memcpy(logits, sum, sizeof sum);
}

enum { CHUNK = 240 }; /* positions scored together, whatever the team */

typedef struct {
    const Model *model;
    const Vocabulary *vocabulary;
    const Bags *bags;
    double *loss; /* [chunks] */
} Scoring;

static void score_chunks(Team *team, int member, void *argument) {
    const Scoring *scoring = argument;
    const Bags *bags = scoring->bags;
    SortedBatch sorted = batch_allocate(CHUNK, largest_bag(scoring->vocabulary));
    Step step = step_start(*scoring->model, (Model){0}, CHUNK);
    (void)member;
    for (size_t from; (from = CHUNK * team_next(team)) < bags->count;) {
        size_t count = smaller(CHUNK, bags->count - from);
        uint64_t positions[CHUNK];
        for (uint32_t i = 0; i < count; i++)
            positions[i] = position(scoring->vocabulary, bags, from + i, i);
        batch_fill(&sorted, scoring->vocabulary, bags->beside ? bags->beside + from : NULL,
                   positions, count, NULL);
        for (size_t first = 0; first < sorted.batch.bags; first += PIECE) {
            size_t last = smaller(first + PIECE, sorted.batch.bags);
            forward(&step, &sorted.batch, first, last);
            cross_entropy(&step, &sorted.batch, first, last);
        }
        for (size_t b = 0; b < sorted.batch.bags; b++) scoring->loss[from / CHUNK] += step.loss[b];
    }
    batch_free(&sorted);
    step_free(&step);
}

double text_loss(Team *team, const Model *model, const Vocabulary *vocabulary, const Bags *bags) {
    size_t chunks = (bags->count + CHUNK - 1) / CHUNK;
    Scoring scoring = {model, vocabulary, bags, allocate(chunks, sizeof(double), "scoring")};
    team_run(team, score_chunks, &scoring);
    double total = 0;
    for (size_t c = 0; c < chunks; c++) total += scoring.loss[c];
    free(scoring.loss);
    return total / (double)bags->count;
}

void text_renorm(Model *model, const Optimizer *optimizer, const Vocabulary *vocabulary,
                 const Bags *bags) {
    if (optimizer->max_norm <= 0) return;
    bool *done = allocate(vocabulary->rows, sizeof *done, "scoring");
    for (size_t p = 0; p < bags->count; p++) {
        uint32_t bag[MAX_BAG];
        size_t n =
            bag_rows(vocabulary, bags->ngram[p], bags->beside ? &bags->beside[p] : NULL, bag);
        for (size_t i = 0; i < n; i++) {
            if (done[bag[i]]) continue;
            embedding_renorm(optimizer, model->dim, model->embedding + bag[i] * model->dim);
            done[bag[i]] = true;
        }
    }
    free(done);
}
