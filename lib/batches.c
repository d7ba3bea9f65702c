#include "batches.h"

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

/* Asks for what positions need some time before they need it: places are anywhere in the text, rows anywhere in the
   table. Before the first position (b = 0) for all up to SOON, then for one at a time. */
static inline __attribute__((always_inline)) void ask_ahead(const Contexts *contexts, const Found *found, const uint32_t *place, size_t b, size_t count) {
    enum { SOON = 16, SOONER = 6 };
    if (!place) return;
    for (size_t i = b == 0 ? 0 : b + SOON; i <= b + SOON && i < count; i++) {
        __builtin_prefetch(&found->ngram[place[i]]);
        __builtin_prefetch(&found->next[place[i]]);
        if (found->others) __builtin_prefetch(&found->others[place[i]]);
    }
    if (b + SOONER >= count) return;
    uint32_t row = found->ngram[place[b + SOONER]];
    if (row != NO_ROW) __builtin_prefetch(&contexts->parent[row]);
}

/* Where n-grams are the only kind, the longest one's row tells the whole context: positions with the same one share a context, in
   the order of their first. (With more kinds two contexts are hardly ever the same.) */
static void fill_shared(Batch *batch, const Contexts *contexts, const Found *found, const uint32_t *place, size_t from,
                        size_t count, uint32_t *mark) {
    uint32_t *leaf = batch->row, *context_of = batch->where, *start = batch->next_start + 1, on = 0, size = 0, sum = 0;
    for (size_t b = 0; b < count; b++) {
        ask_ahead(contexts, found, place, b, count);
        uint32_t row = found->ngram[place ? place[b] : from + b], number = row == NO_ROW ? size : mark[row];
        if (number >= size || leaf[number] != row) {
            number = size++;
            if (row != NO_ROW) mark[row] = number;
            leaf[number] = row;
            start[number] = 0;
            batch->on_start[number] = on;
            for (uint32_t r = row; r != NO_ROW; r = contexts->parent[r]) batch->on[on++] = r;
        }
        context_of[b] = number;
        start[number]++;
    }
    batch->on_start[size] = on;
    batch->size = size;
    for (uint32_t number = 0; number < size; number++) { /* start[number] becomes where its first next stands, */
        uint32_t times = start[number];
        start[number] = sum;
        sum += times;
    }
    batch->next_start[0] = 0;
    for (size_t b = 0; b < count; b++) /* and in the end where the following context's first does */
        batch->next[start[context_of[b]]++] = found->next[place ? place[b] : from + b];
}

void batch_fill(Batch *batch, const Contexts *contexts, const Found *found, const uint32_t *place, size_t from, size_t count,
                uint32_t *mark) {
    uint32_t on = 0;
    if (!found->others) {
        fill_shared(batch, contexts, found, place, from, count, mark);
        return;
    }
    batch->size = count;
    for (size_t b = 0; b < count; b++) {
        size_t i = place ? place[b] : from + b;
        ask_ahead(contexts, found, place, b, count);
        batch->next[b] = found->next[i];
        batch->on_start[b] = on;
        on += (uint32_t)rows_on(contexts, found, i, batch->on + on);
    }
    batch->on_start[count] = on;
}

/* A counting sort. mark[r] is r's number among the distinct rows if that number is in use and says r:
   so mark need not be cleared between batches (Briggs and Torczon 1993, "sparse sets"). */
void batch_group(Batch *batch, uint32_t *mark) {
    enum { SOON = 16 };
    uint32_t distinct = 0, *count = batch->where_start + 1, *number_of = batch->number_of;
    size_t total = batch->on_start[batch->size];
    for (size_t i = 0; i < total; i++) {
        if (i + SOON < total) __builtin_prefetch(&mark[batch->on[i + SOON]]);
        uint32_t row = batch->on[i], number = mark[row];
        if (number >= distinct || batch->row[number] != row) {
            number = mark[row] = distinct++;
            batch->row[number] = row;
            count[number] = 0;
        }
        number_of[i] = number;
        count[number]++;
    }
    batch->distinct = distinct;
    batch->shared = 0;
    uint32_t start = 0;
    for (uint32_t number = 0; number < distinct; number++) { /* count[number] becomes where number's contexts begin */
        uint32_t size = count[number];
        count[number] = start;
        start += size;
        batch->shared_row[batch->shared] = number; /* stays when there are several, else the next one takes its place */
        batch->shared += size > 1;
    }
    batch->where_start[0] = 0;
    for (uint32_t b = 0; b < batch->size; b++) /* and in the end where the next number's begin */
        for (uint32_t i = batch->on_start[b]; i < batch->on_start[b + 1]; i++) batch->where[count[number_of[i]]++] = b;
}

enum { CHUNK = 240 }; /* positions scored together, whatever the team */

typedef struct {
    const Model *model;
    const Contexts *contexts;
    const Found *found;
    Batch *batch;   /* [members] */
    uint32_t **mark; /* [members][rows] */
    Layers *layers; /* [members] */
    double *sum;    /* [chunks] */
} Scoring;

static void score_chunks(Team *team, int member, void *argument) {
    Scoring *scoring = argument;
    Batch *batch = &scoring->batch[member];
    Layers *layers = &scoring->layers[member];
    for (size_t from; (from = CHUNK * team_next(team)) < scoring->found->count;) {
        size_t count = scoring->found->count - from < CHUNK ? scoring->found->count - from : CHUNK;
        batch_fill(batch, scoring->contexts, scoring->found, NULL, from, count, scoring->mark[member]);
        model_forward(scoring->model, batch, layers, 0, batch->size);
        for (size_t b = 0; b < batch->size; b++) scoring->sum[from / CHUNK] += layers->loss[b];
    }
}

double stretch_loss(Team *team, const Model *model, const Contexts *contexts, const Found *found) {
    size_t members = (size_t)team_size(team), chunks = (found->count + CHUNK - 1) / CHUNK;
    Scoring scoring = {model, contexts, found, allocate(members, sizeof(Batch), "scoring"), allocate(members, sizeof(uint32_t *), "scoring"),
                       allocate(members, sizeof(Layers), "scoring"), allocate(chunks, sizeof(double), "scoring")};
    for (size_t m = 0; m < members; m++) {
        scoring.batch[m] = batch_allocate(CHUNK, most_rows_on(contexts));
        scoring.mark[m] = allocate(contexts->rows, sizeof(uint32_t), "scoring");
        scoring.layers[m] = layers_allocate(CHUNK, model->dim, 1);
    }
    team_run(team, score_chunks, &scoring);
    double total = 0;
    for (size_t c = 0; c < chunks; c++) total += scoring.sum[c];
    for (size_t m = 0; m < members; m++) {
        batch_free(&scoring.batch[m]);
        free(scoring.mark[m]);
        layers_free(&scoring.layers[m]);
    }
    free(scoring.batch);
    free(scoring.mark);
    free(scoring.layers);
    free(scoring.sum);
    return total / (double)found->count;
}
