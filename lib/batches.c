#include "batches.h"

#include "memory.h"

Batch batch_allocate(size_t size, size_t most_on) {
    size_t on = size * most_on;
    uint32_t *next_start = allocate(size + 1, sizeof *next_start, "a batch");
    for (uint32_t b = 0; b <= size; b++) next_start[b] = b;
    return (Batch){.next_start = next_start,
                   .next = allocate(size, 1, "a batch"),
                   .on_start = allocate(size + 1, sizeof(uint32_t), "a batch"),
                   .on = allocate(on, sizeof(uint32_t), "a batch"),
                   .row = allocate(on, sizeof(uint32_t), "a batch"),
                   .where_start = allocate(on + 1, sizeof(uint32_t), "a batch"),
                   .where = allocate(on, sizeof(uint32_t), "a batch"),
                   .number_of = allocate(on, sizeof(uint32_t), "a batch"),
                   .shared_row = allocate(on, sizeof(uint32_t), "a batch")};
}

void batch_free(Batch *batch) {
    free(batch->next_start);
    free(batch->next);
    free(batch->on_start);
    free(batch->on);
    free(batch->row);
    free(batch->where_start);
    free(batch->where);
    free(batch->number_of);
    free(batch->shared_row);
}

/* Sorts positions by their rows, digit by digit from the last to the first; positions and spare take turns. Returns where the result is. */
static const uint64_t *sorted_positions(uint64_t *positions, uint64_t *spare, size_t count, uint32_t ngrams_end) {
    enum { MOST_BITS = 8 };
    int needed = 1, most = count < 128 ? 5 : MOST_BITS, digits, bits;
    while (ngrams_end >> needed) needed++;
    digits = (needed + most - 1) / most;
    bits = (needed + digits - 1) / digits;
    for (int digit = 0; digit < digits; digit++) {
        int shift = ROW_SHIFT + digit * bits;
        uint32_t start[(1 << MOST_BITS) + 1] = {0}, mask = (1u << bits) - 1;
        for (size_t b = 0; b < count; b++) start[(positions[b] >> shift & mask) + 1]++;
        for (uint32_t value = 0; value < mask; value++) start[value + 1] += start[value];
        for (size_t b = 0; b < count; b++) spare[start[positions[b] >> shift & mask]++] = positions[b];
        uint64_t *sorted = spare;
        spare = positions;
        positions = sorted;
    }
    return positions;
}

/* on[i] is `row`, the batch's distinct row of this number, which may be a new one. */
static inline void switch_on(Batch *batch, uint32_t i, uint32_t row, uint32_t number) {
    uint32_t *count = batch->where_start + 1;
    batch->on[i] = row;
    batch->number_of[i] = number;
    if (number == batch->distinct) {
        batch->row[batch->distinct++] = row;
        count[number] = 0;
    }
    count[number]++;
}

/* mark[r] is r's number among the distinct rows if that number is in use and says r: so mark need not be cleared between
   batches (Briggs and Torczon 1993, "sparse sets"). */
static inline uint32_t marked_number(const Batch *batch, uint32_t *mark, uint32_t row) {
    uint32_t number = mark[row];
    if (number >= batch->distinct || batch->row[number] != row) number = mark[row] = (uint32_t)batch->distinct;
    return number;
}

/* Lists where each distinct row is on, by a counting sort. */
static void list_contexts(Batch *batch) {
    uint32_t *count = batch->where_start + 1, start = 0;
    batch->shared = 0;
    for (uint32_t number = 0; number < batch->distinct; number++) { /* count[number] becomes where number's contexts begin */
        uint32_t size = count[number];
        count[number] = start;
        start += size;
        batch->shared_row[batch->shared] = number; /* stays when there are several, else the next one takes its place */
        batch->shared += size > 1;
    }
    batch->where_start[0] = 0;
    for (uint32_t b = 0; b < batch->size; b++) /* and in the end where the next number's begin */
        for (uint32_t i = batch->on_start[b]; i < batch->on_start[b + 1]; i++) batch->where[count[batch->number_of[i]]++] = b;
}

void batch_group(Batch *batch, uint32_t *mark) {
    batch->distinct = 0;
    for (uint32_t i = 0; i < batch->on_start[batch->size]; i++) switch_on(batch, i, batch->on[i], marked_number(batch, mark, batch->on[i]));
    list_contexts(batch);
}

/* Switches on, from on[i], a context's n-grams; the context before has on[before .. before_end - 1] on. An n-gram is new, or that one has it
   on, and with it all its shorter ones; but characters that end no longer n-gram come first, apart from the others. */
static inline uint32_t switch_on_ngrams(Batch *batch, const Contexts *contexts, uint32_t longest, uint32_t before, uint32_t before_end, uint32_t i,
                                        uint32_t *mark) {
    uint32_t row = longest;
    for (; row != NO_ROW; row = contexts->parent[row]) {
        while (before < before_end && batch->on[before] > row) before++;
        if (before < before_end && batch->on[before] == row) break;
        switch_on(batch, i++, row, mark && row < CHARACTERS ? marked_number(batch, mark, row) : (uint32_t)batch->distinct);
    }
    if (row == NO_ROW) return i;
    for (; before < before_end; before++) switch_on(batch, i++, batch->on[before], batch->number_of[before]);
    return i;
}

/* Brings the parents of all positions' n-grams into the cache, a generation at a time: none of these loads waits for another, as they do
   when one chain is followed to its end. */
static void ask_for_parents(const Contexts *contexts, const uint64_t *positions, size_t count, uint32_t *row) {
    enum { GENERATIONS = 4 };
    for (size_t b = 0; b < count; b++) {
        row[b] = position_ngram(positions[b]) == contexts->ngrams_end ? 0 : position_ngram(positions[b]);
        __builtin_prefetch(&contexts->parent[row[b]]);
    }
    for (int g = 0; g < GENERATIONS; g++)
        for (size_t b = 0; b < count; b++) {
            uint32_t parent = contexts->parent[row[b]];
            row[b] = parent == NO_ROW ? row[b] : parent;
            __builtin_prefetch(&contexts->parent[row[b]]);
        }
}

void batch_fill(Batch *batch, const Contexts *contexts, const Others *others, const uint64_t *positions, size_t count, uint64_t *spare,
                uint32_t *mark) {
    enum { SOON = 8 };
    ask_for_parents(contexts, positions, count, batch->where);
    memcpy(spare, positions, count * sizeof *positions);
    positions = sorted_positions(spare, spare + count, count, contexts->ngrams_end);
    uint32_t size = 0, before = 0, before_end = 0, on = 0;
    batch->distinct = 0;
    for (uint32_t b = 0; b < count; b++) {
        uint32_t ngram = position_ngram(positions[b]);
        batch->next[b] = position_next(positions[b]);
        if (others && b + SOON < count) __builtin_prefetch(&others[position_number(positions[b + SOON])]);
        if (b > 0 && !others && ngram == position_ngram(positions[b - 1])) continue;
        batch->next_start[size] = b;
        batch->on_start[size++] = on;
        uint32_t end = ngram == contexts->ngrams_end ? on : switch_on_ngrams(batch, contexts, ngram, before, before_end, on, mark);
        before = on;
        before_end = end;
        on = end;
        if (!others) continue;
        on += (uint32_t)rows_beside(contexts, &others[position_number(positions[b])], batch->on + on);
        if (mark) for (uint32_t i = end; i < on; i++) switch_on(batch, i, batch->on[i], marked_number(batch, mark, batch->on[i]));
    }
    batch->next_start[size] = (uint32_t)count;
    batch->on_start[size] = on;
    batch->size = size;
    if (mark) list_contexts(batch);
}

enum { CHUNK = 240 }; /* positions scored together, whatever the team */

typedef struct {
    const Model *model;
    const Contexts *contexts;
    const Found *found;
    Batch *batch;   /* [members] */
    Layers *layers; /* [members] */
    double *sum;    /* [chunks] */
} Scoring;

static void score_chunks(Team *team, int member, void *argument) {
    Scoring *scoring = argument;
    Batch *batch = &scoring->batch[member];
    Layers *layers = &scoring->layers[member];
    for (size_t from; (from = CHUNK * team_next(team)) < scoring->found->count;) {
        size_t count = scoring->found->count - from < CHUNK ? scoring->found->count - from : CHUNK;
        uint64_t positions[CHUNK], spare[2 * CHUNK];
        for (uint32_t i = 0; i < count; i++) positions[i] = position(scoring->contexts, scoring->found, from + i, i);
        batch_fill(batch, scoring->contexts, scoring->found->others ? scoring->found->others + from : NULL, positions, count, spare, NULL);
        model_forward(scoring->model, batch, layers, 0, batch->size);
        for (size_t b = 0; b < batch->size; b++) scoring->sum[from / CHUNK] += layers->loss[b];
    }
}

double stretch_loss(Team *team, const Model *model, const Contexts *contexts, const Found *found) {
    size_t members = (size_t)team_size(team), chunks = (found->count + CHUNK - 1) / CHUNK;
    Scoring scoring = {model, contexts, found, allocate(members, sizeof(Batch), "scoring"),
                       allocate(members, sizeof(Layers), "scoring"), allocate(chunks, sizeof(double), "scoring")};
    for (size_t m = 0; m < members; m++) {
        scoring.batch[m] = batch_allocate(CHUNK, most_rows_on(contexts));
        scoring.layers[m] = layers_allocate(CHUNK, model->dim, 1);
    }
    team_run(team, score_chunks, &scoring);
    double total = 0;
    for (size_t c = 0; c < chunks; c++) total += scoring.sum[c];
    for (size_t m = 0; m < members; m++) {
        batch_free(&scoring.batch[m]);
        layers_free(&scoring.layers[m]);
    }
    free(scoring.batch);
    free(scoring.layers);
    free(scoring.sum);
    return total / (double)found->count;
}
