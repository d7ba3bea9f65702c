#include "step.h"

#include "kernels.h"
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

/* ---- batches ---------------------------------------------------------------------------------- */

SortedBatch batch_allocate(size_t positions, size_t most) {
    size_t indices = positions * most, size = sizeof(uint32_t);
    SortedBatch batch = {0};
    batch.batch.offsets = allocate(positions + 1, size, "a batch");
    batch.batch.indices = allocate(indices, size, "a batch");
    batch.batch.target_offsets = allocate(positions + 1, size, "a batch");
    batch.batch.targets = allocate(positions, 1, "a batch");
    batch.batch.rows = allocate(indices, size, "a batch");
    batch.batch.frequency = allocate(indices, size, "a batch");
    batch.numbers = allocate(indices, size, "a batch");
    batch.bag_offsets = allocate(indices + 1, size, "a batch");
    batch.bags = allocate(indices, size, "a batch");
    batch.shared = allocate(indices, size, "a batch");
    batch.sorted = allocate(2 * positions, sizeof(uint64_t), "a batch");
    return batch;
}

void batch_free(SortedBatch *batch) {
    free(batch->batch.offsets);
    free(batch->batch.indices);
    free(batch->batch.target_offsets);
    free(batch->batch.targets);
    free(batch->batch.rows);
    free(batch->batch.frequency);
    free(batch->numbers);
    free(batch->bag_offsets);
    free(batch->bags);
    free(batch->shared);
    free(batch->sorted);
}

static uint32_t ngram_of(uint64_t position) { return (uint32_t)(position >> ROW_SHIFT); }
static uint8_t target_of(uint64_t position) { return (uint8_t)(position >> TARGET_SHIFT); }
static uint32_t place_of(uint64_t position) { return position & ((1u << TARGET_SHIFT) - 1); }

/* Sorts positions by their rows, digit by digit from the last to the first; positions and spare
   take turns. Returns where the result is. */
static const uint64_t *sort_positions(uint64_t *positions, uint64_t *spare, size_t count,
                                      uint32_t ngrams_end) {
    enum { MOST_BITS = 8 };
    int needed = 1, most = count < 128 ? 5 : MOST_BITS;
    while (ngrams_end >> needed) needed++;
    int digits = (needed + most - 1) / most, bits = (needed + digits - 1) / digits;
    uint32_t mask = (1u << bits) - 1;
    for (int digit = 0; digit < digits; digit++) {
        int shift = ROW_SHIFT + digit * bits;
        uint32_t start[(1 << MOST_BITS) + 1] = {0};
        for (size_t b = 0; b < count; b++) start[(positions[b] >> shift & mask) + 1]++;
        for (uint32_t value = 0; value < mask; value++) start[value + 1] += start[value];
        for (size_t b = 0; b < count; b++)
            spare[start[positions[b] >> shift & mask]++] = positions[b];
        uint64_t *sorted = spare;
        spare = positions;
        positions = sorted;
    }
    return positions;
}

/* Index i is `row`, the batch's distinct row of this number, which may be a new one. */
static inline void add_index(SortedBatch *batch, uint32_t i, uint32_t row, uint32_t number) {
    uint32_t *count = batch->bag_offsets + 1;
    batch->batch.indices[i] = row;
    batch->numbers[i] = number;
    if (number == batch->batch.distinct) {
        batch->batch.rows[batch->batch.distinct++] = row;
        count[number] = 0;
    }
    count[number]++;
}

/* mark[r] is r's number among the distinct rows if that number is in use and says r: so mark need
   not be cleared between batches (Briggs and Torczon 1993, "sparse sets"). */
static inline uint32_t marked_number(const Batch *batch, uint32_t *mark, uint32_t row) {
    uint32_t number = mark[row];
    if (number >= batch->distinct || batch->rows[number] != row)
        number = mark[row] = (uint32_t)batch->distinct;
    return number;
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

/* Adds a context's n-grams from index i on, the longest first; the bag before has its n-grams at
   before .. before_end - 1. Either an n-gram is new, or that bag has it, and then all its shorter
   ones, too. (Characters that end no longer n-gram come first, apart from the beside.) Returns the
   end. */
static inline uint32_t add_ngrams(SortedBatch *batch, const Vocabulary *vocabulary,
                                  uint32_t longest, uint32_t before, uint32_t before_end,
                                  uint32_t i, uint32_t *mark) {
    const uint32_t *indices = batch->batch.indices;
    uint32_t row = longest;
    for (; row != NO_ROW; row = vocabulary->parent[row]) {
        while (before < before_end && indices[before] > row) before++;
        if (before < before_end && indices[before] == row) break;
        uint32_t number = (uint32_t)batch->batch.distinct;
        if (mark && row < CHARACTERS) number = marked_number(&batch->batch, mark, row);
        add_index(batch, i++, row, number);
    }
    for (; row != NO_ROW && before < before_end; before++)
        add_index(batch, i++, indices[before], batch->numbers[before]);
    return i;
}

/* Brings the parents of all positions' n-grams into the cache, a generation at a time: none of these
   loads waits for another, as they do when one chain is followed to its end. */
static void prefetch_parents(const Vocabulary *vocabulary, const uint64_t *positions, size_t count,
                             uint32_t *row) {
    enum { GENERATIONS = 4 };
    for (size_t b = 0; b < count; b++) {
        row[b] = ngram_of(positions[b]) == vocabulary->end[NGRAM_ROWS] ? 0 : ngram_of(positions[b]);
        __builtin_prefetch(&vocabulary->parent[row[b]]);
    }
    for (int g = 0; g < GENERATIONS; g++)
        for (size_t b = 0; b < count; b++) {
            uint32_t parent = vocabulary->parent[row[b]];
            row[b] = parent == NO_ROW ? row[b] : parent;
            __builtin_prefetch(&vocabulary->parent[row[b]]);
        }
}

void batch_fill(SortedBatch *batch, const Vocabulary *vocabulary, const Beside *beside,
                const uint64_t *positions, size_t count, uint32_t *mark) {
    enum { SOON = 8 };
    Batch *plain = &batch->batch;
    uint32_t before = 0, before_end = 0, i = 0, before_ngram = NO_ROW;
    prefetch_parents(vocabulary, positions, count, batch->bags);
    memcpy(batch->sorted, positions, count * sizeof *positions);
    positions =
        sort_positions(batch->sorted, batch->sorted + count, count, vocabulary->end[NGRAM_ROWS]);
    plain->bags = plain->distinct = 0;
    for (uint32_t b = 0; b < count; b++) {
        uint32_t ngram = ngram_of(positions[b]);
        plain->targets[b] = target_of(positions[b]);
        if (!beside && ngram == before_ngram) continue;
        before_ngram = ngram;
        plain->target_offsets[plain->bags] = b;
        plain->offsets[plain->bags++] = i;
        uint32_t first = i;
        if (ngram != vocabulary->end[NGRAM_ROWS])
            i = add_ngrams(batch, vocabulary, ngram, before, before_end, i, mark);
        before = first;
        before_end = i;
        if (!beside) continue;
        if (b + SOON < count) __builtin_prefetch(&beside[place_of(positions[b + SOON])]);
        i += (uint32_t)rows_beside(vocabulary, &beside[place_of(positions[b])], plain->indices + i);
        for (uint32_t k = before_end; mark && k < i; k++)
            add_index(batch, k, plain->indices[k], marked_number(plain, mark, plain->indices[k]));
    }
    plain->positions = count;
    plain->target_offsets[plain->bags] = (uint32_t)count;
    plain->offsets[plain->bags] = i;
    if (mark) list_bags(batch);
}

/* ---- the step --------------------------------------------------------------------------------- */

enum { MOST_PARTS = 8 };

static size_t gradient_size(size_t dim) { return CHARACTERS * padded(dim) + LOGITS; }

Workspace workspace_allocate(size_t bags, size_t dim) {
    size_t row = padded(dim) * sizeof(float);
    Workspace workspace = {0};
    workspace.transpose = allocate(dim + 1, LOGITS * sizeof(float), "a batch");
    workspace.h = allocate(bags, row, "a batch");
    workspace.dh = allocate(bags, row, "a batch");
    workspace.logits = allocate(bags, LOGITS * sizeof(float), "a batch");
    workspace.gradient = allocate(MOST_PARTS, gradient_size(dim) * sizeof(float), "a batch");
    workspace.largest = allocate(bags, sizeof(float), "a batch");
    workspace.total = allocate(bags, sizeof(float), "a batch");
    workspace.loss = allocate(bags, sizeof(double), "a batch");
    return workspace;
}

void workspace_free(Workspace *workspace) {
    free(workspace->transpose);
    free(workspace->h);
    free(workspace->dh);
    free(workspace->logits);
    free(workspace->gradient);
    free(workspace->largest);
    free(workspace->total);
    free(workspace->loss);
}

/* Takes over characters first .. last - 1 of the linear layer. */
static void load_characters(Workspace *workspace, const Model *model, size_t first, size_t last) {
    for (size_t d = 0; d < model->dim; d++)
        for (size_t c = first; c < last; c++)
            workspace->transpose[d * LOGITS + c] = model->linear[c * model->dim + d];
    for (size_t c = first; c < last; c++)
        workspace->transpose[model->dim * LOGITS + c] = model->bias[c];
}

void workspace_load(Workspace *workspace, const Model *model) {
    load_characters(workspace, model, 0, CHARACTERS);
}

/* Both layers for bags first .. last - 1. Their rows lie anywhere in memory: they are asked for some
   bags before they are needed. */
static void forward(const Workspace *workspace, const Model *model, const Batch *batch,
                    size_t first, size_t last) {
    enum { AHEAD = 4 };
    size_t dim = model->dim, stride = padded(dim);
    const uint32_t *offsets = batch->offsets;
    for (size_t b = first; b < last; b++) {
        size_t soon = b + AHEAD < batch->bags ? b + AHEAD : b;
        for (uint32_t i = offsets[soon]; i < offsets[soon + 1]; i++)
            prefetch_row(model->embedding + batch->indices[i] * dim, dim);
        embedding_forward(model, batch->indices + offsets[b], offsets[b + 1] - offsets[b],
                          workspace->h + b * stride);
    }
    Matmul logits = {.rows = last - first, .columns = padded(CHARACTERS), .depth = dim};
    logits.a = workspace->h + first * stride;
    logits.a_row = stride;
    logits.a_column = 1;
    logits.b = workspace->transpose;
    logits.b_row = LOGITS;
    logits.start = workspace->transpose + dim * LOGITS;
    logits.out = workspace->logits + first * LOGITS;
    logits.out_row = LOGITS;
    matmul(&logits);
}

/* The losses of bags first .. last - 1, and dlogits: cross_entropy_forward and backward, in three
   rounds, so that no bag waits for what is not yet known of itself. */
static void cross_entropy(Workspace *workspace, const Batch *batch, size_t first, size_t last) {
    const uint32_t *offsets = batch->target_offsets;
    for (size_t b = first; b < last; b++)
        workspace->largest[b] = largest_logit(workspace->logits + b * LOGITS);
    for (size_t b = first; b < last; b++) {
        float *logits = workspace->logits + b * LOGITS;
        double loss = 0;
        for (uint32_t i = offsets[b]; i < offsets[b + 1]; i++)
            loss -= (double)logits[batch->targets[i]];
        workspace->loss[b] = loss;
        workspace->total[b] = exponentials(logits, workspace->largest[b]);
    }
    for (size_t b = first; b < last; b++) {
        float *p = workspace->logits + b * LOGITS, total = workspace->total[b];
        size_t n = offsets[b + 1] - offsets[b];
        for (size_t c = 0; c < CHARACTERS; c++) p[c] *= 1 / total;
        workspace->loss[b] +=
            (double)n * ((double)workspace->largest[b] + exact_log((double)total));
        cross_entropy_backward(p, batch->targets + offsets[b], n, batch->positions);
    }
}

/* dh of bags first .. last - 1; meanwhile their rows' sums are asked for, as many bags as the matrix
   product takes at a time. */
static void backward(Workspace *workspace, const Model *model, const Model *sum, const Batch *batch,
                     size_t first, size_t last) {
    size_t dim = model->dim, stride = padded(dim);
    Matmul dh = {.columns = stride, .depth = CHARACTERS, .b = model->linear, .b_row = dim};
    dh.a_row = LOGITS;
    dh.a_column = 1;
    dh.out_row = stride;
    for (size_t b = first; b < last; b += HIGH) {
        dh.rows = last - b < HIGH ? last - b : HIGH;
        for (uint32_t i = batch->offsets[b]; sum && i < batch->offsets[b + dh.rows]; i++)
            prefetch_row(sum->embedding + batch->indices[i] * dim, dim);
        dh.a = workspace->logits + b * LOGITS;
        dh.out = workspace->dh + b * stride;
        matmul(&dh);
    }
}

/* A part's gradient of the linear layer, from bags first .. last - 1. */
static void linear_gradient(Workspace *workspace, size_t dim, size_t part, size_t first,
                            size_t last) {
    size_t stride = padded(dim);
    float *gradient = workspace->gradient + part * gradient_size(dim);
    float *bias = gradient + CHARACTERS * stride;
    const float *dlogits = workspace->logits + first * LOGITS;
    Matmul weight = {.rows = CHARACTERS, .columns = stride, .depth = last - first};
    weight.a = dlogits;
    weight.a_row = 1;
    weight.a_column = LOGITS;
    weight.b = workspace->h + first * stride;
    weight.b_row = stride;
    weight.out = gradient;
    weight.out_row = stride;
    matmul(&weight);
    memset(bias, 0, CHARACTERS * sizeof *bias);
    for (size_t b = first; b < last; b++, dlogits += LOGITS)
        for (size_t c = 0; c < CHARACTERS; c++) bias[c] += dlogits[c];
}

/* Updates one row by its gradient [dim]; frequency as in Batch. */
static void update_row(Model *model, Model *sum, const Optimizer *optimizer, uint32_t row,
                       const float *gradient, uint32_t frequency) {
    size_t dim = model->dim, at = row * dim;
    float scaled[MAX_DIM];
    for (size_t d = 0; optimizer->scale_grad_by_freq && d < dim; d++)
        scaled[d] = gradient[d] / (float)frequency;
    if (optimizer->scale_grad_by_freq) gradient = scaled;
    update(optimizer, optimizer->embedding_lr, dim, gradient, sum ? sum->embedding + at : NULL,
           model->embedding + at);
}

/* Updates the rows of bags first .. last - 1 that are in no other bag: dh is their gradient. */
static void update_own_rows(const Workspace *workspace, Model *model, Model *sum,
                            const Optimizer *optimizer, const SortedBatch *batch, size_t first,
                            size_t last) {
    const Batch *plain = &batch->batch;
    for (size_t b = first; b < last; b++)
        for (uint32_t i = plain->offsets[b]; i < plain->offsets[b + 1]; i++) {
            uint32_t u = batch->numbers[i];
            if (batch->bag_offsets[u + 1] - batch->bag_offsets[u] > 1) continue;
            update_row(model, sum, optimizer, plain->indices[i],
                       workspace->dh + b * padded(model->dim), plain->frequency[u]);
        }
}

/* Updates shared rows first .. last - 1: their gradient is the sum of dh over their bags. */
static void update_shared_rows(const Workspace *workspace, Model *model, Model *sum,
                               const Optimizer *optimizer, const SortedBatch *batch, size_t first,
                               size_t last) {
    size_t dim = model->dim;
    const Model dh = {.dim = padded(dim), .embedding = workspace->dh};
    float gradient[MAX_DIM];
    for (size_t s = first; sum && s < last; s++)
        prefetch_row(sum->embedding + batch->batch.rows[batch->shared[s]] * dim, dim);
    for (size_t s = first; s < last; s++) {
        uint32_t u = batch->shared[s], offset = batch->bag_offsets[u];
        embedding_forward(&dh, batch->bags + offset, batch->bag_offsets[u + 1] - offset, gradient);
        update_row(model, sum, optimizer, batch->batch.rows[u], gradient,
                   batch->batch.frequency[u]);
    }
}

/* Updates characters first .. last - 1 of the linear layer, by the sum of the parts' gradients. */
static void update_linear(Workspace *workspace, Model *model, Model *sum,
                          const Optimizer *optimizer, size_t parts, size_t first, size_t last) {
    size_t dim = model->dim, stride = padded(dim), size = gradient_size(dim), n = last - first;
    float *weight = workspace->gradient, *bias = weight + CHARACTERS * stride + first;
    float *sum_weight = sum ? sum->linear : NULL, *sum_bias = sum ? sum->bias + first : NULL;
    float lr = optimizer->linear_lr;
    for (size_t part = 1; part < parts; part++) {
        for (size_t i = first * stride; i < last * stride; i++)
            weight[i] += weight[part * size + i];
        for (size_t c = 0; c < n; c++) bias[c] += bias[part * size + c];
    }
    for (size_t c = first; c < last; c++)
        update(optimizer, lr, dim, weight + c * stride, sum ? sum_weight + c * dim : NULL,
               model->linear + c * dim);
    update(optimizer, lr, n, bias, sum_bias, model->bias + first);
    load_characters(workspace, model, first, last);
}

/* The member's share of `count` things, first .. last - 1. They stand in about the same order in
   every step, so that most are always one member's, and in its cache. */
typedef struct {
    size_t first, last;
} Range;

static Range share(size_t count, const Team *team, int member) {
    size_t members = (size_t)team_size(team), m = (size_t)member;
    return (Range){m * count / members, (m + 1) * count / members};
}

void team_step(Team *team, int member, Workspace *workspace, Model *model, Model *sum,
               const Optimizer *optimizer, const SortedBatch *batch) {
    team_meet(team);
    const Batch *plain = &batch->batch;
    size_t size = part_size(plain->bags), part_count = (plain->bags + size - 1) / size;
    Range parts = share(part_count, team, member), rows = share(plain->distinct, team, member);
    Range shared = share(batch->shared_rows, team, member);
    Range vectors = share(padded(CHARACTERS) / LANES, team, member);
    if (optimizer->max_norm > 0) {
        for (size_t u = rows.first; u < rows.last; u++)
            embedding_renorm(optimizer, model->dim, model->embedding + plain->rows[u] * model->dim);
        team_meet(team);
    }
    for (size_t part = parts.first; part < parts.last; part++) {
        size_t first = part * size, last = first + size < plain->bags ? first + size : plain->bags;
        forward(workspace, model, plain, first, last);
        cross_entropy(workspace, plain, first, last);
        backward(workspace, model, sum, plain, first, last);
        linear_gradient(workspace, model->dim, part, first, last);
        if (!optimizer->freeze_embedding)
            update_own_rows(workspace, model, sum, optimizer, batch, first, last);
    }
    team_meet(team);
    size_t last = vectors.last * LANES < CHARACTERS ? vectors.last * LANES : CHARACTERS;
    update_linear(workspace, model, sum, optimizer, part_count, vectors.first * LANES, last);
    if (!optimizer->freeze_embedding)
        update_shared_rows(workspace, model, sum, optimizer, batch, shared.first, shared.last);
    if (member > 0) return;
    double loss = 0;
    for (size_t b = 0; b < plain->bags; b++) loss += workspace->loss[b];
    workspace->mean_loss = loss / (double)plain->positions;
}

/* ---- scoring ---------------------------------------------------------------------------------- */

void bag_logits(const Workspace *workspace, const Model *model, const uint32_t *bag, size_t n,
                float *logits) {
    uint32_t offsets[] = {0, (uint32_t)n};
    Workspace one = *workspace;
    Batch batch = {.bags = 1, .positions = 1, .offsets = offsets, .indices = (uint32_t *)bag};
    one.logits = logits;
    forward(&one, model, &batch, 0, 1);
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
    SortedBatch batch = batch_allocate(CHUNK, largest_bag(scoring->vocabulary));
    Workspace workspace = workspace_allocate(CHUNK, scoring->model->dim);
    workspace_load(&workspace, scoring->model);
    (void)member;
    for (size_t from; (from = CHUNK * team_next(team)) < bags->count;) {
        size_t count = bags->count - from < CHUNK ? bags->count - from : CHUNK;
        const Beside *beside = bags->beside ? bags->beside + from : NULL;
        uint64_t positions[CHUNK];
        for (uint32_t i = 0; i < count; i++)
            positions[i] = position(scoring->vocabulary, bags, from + i, i);
        batch_fill(&batch, scoring->vocabulary, beside, positions, count, NULL);
        forward(&workspace, scoring->model, &batch.batch, 0, batch.batch.bags);
        cross_entropy(&workspace, &batch.batch, 0, batch.batch.bags);
        for (size_t b = 0; b < batch.batch.bags; b++)
            scoring->loss[from / CHUNK] += workspace.loss[b];
    }
    batch_free(&batch);
    workspace_free(&workspace);
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
        const Beside *beside = bags->beside ? &bags->beside[p] : NULL;
        uint32_t bag[MAX_BAG];
        size_t n = bag_rows(vocabulary, bags->ngram[p], beside, bag);
        for (size_t i = 0; i < n; i++) {
            float *row = model->embedding + bag[i] * model->dim;
            if (!done[bag[i]]) embedding_renorm(optimizer, model->dim, row);
            done[bag[i]] = true;
        }
    }
    free(done);
}
