#include "adapt.h"

#include "memory.h"

#include <stdlib.h>

enum { LONGEST = 5 }; /* n-grams up to this length get rows while the text is read */

/* Learners differ in the size of their steps: the first is careful, the second bold. Adagrad's sums
   are not in the file: those of a row that was seen n times start at sum n, so rare rows learn
   faster than frequent ones. */
typedef struct {
    float embedding_lr, linear_lr;  /* for a model that was trained with TRAINED_LR or more */
    float sum, new_sum, linear_sum; /* Adagrad's at the start, in squares of 1 / ADAPT_BATCH */
} Pace;

static const double TRAINED_LR = 0.1;
static const Pace paces[] = {{0.1f, 0, 0.1f, INFINITY, 1}, {0.35f, 0.01f, 0.5f, 40, 10}};
enum { LEARNERS = sizeof paces / sizeof *paces };
static const float DECAY = 0.0015f; /* the share of its way that a row is taken back in each step */
static const double LEAD = 10;      /* nats by which the bold one must be ahead to be believed */

/* One batch, and the rows of n-grams that the model does not have. */
typedef struct {
    const SavedModel *saved;
    Batch batch;
    uint32_t *latest;        /* [most] the last batch that had the row */
    uint32_t number;         /* of this batch, from 1 */
    uint64_t *key;           /* [most] of new rows: shorter n-gram's row and the character before */
    uint32_t *slots;         /* [mask + 1] a hash table of the new rows, 0: none */
    size_t rows, most, mask; /* rows so far, and at most */
} Reading;

static Reading reading_start(const SavedModel *saved, size_t count) {
    Reading reading = {.saved = saved, .rows = saved->model.rows, .mask = 1023};
    size_t new = count < reading.rows ? count : reading.rows;
    size_t indices = ADAPT_BATCH * (largest_bag(&saved->vocabulary) + LONGEST);
    reading.most = reading.rows + new;
    while (reading.mask < 2 * new) reading.mask = 2 * reading.mask + 1;
    uint32_t *memory = allocate(2 * (ADAPT_BATCH + 1 + indices), sizeof *memory, "the batch");
    reading.batch.offsets = memory;
    reading.batch.target_offsets = memory + ADAPT_BATCH + 1;
    reading.batch.indices = memory + 2 * (ADAPT_BATCH + 1);
    reading.batch.rows = reading.batch.indices + indices;
    reading.latest = allocate(reading.most, sizeof *reading.latest, "the batch");
    reading.key = allocate(reading.most, sizeof *reading.key, "rows of new n-grams");
    reading.slots = allocate(reading.mask + 1, sizeof *reading.slots, "rows of new n-grams");
    return reading;
}

static void reading_end(Reading *reading) {
    free(reading->batch.offsets);
    free(reading->latest);
    free(reading->key);
    free(reading->slots);
}

/* The new row of the n-gram that extends a row's by the character before it. It is made when there
   is none; NO_ROW: there is no room for it. */
static uint32_t longer_row(Reading *reading, uint32_t row, uint8_t character) {
    uint64_t key = (uint64_t)row << 8 | character;
    size_t slot = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & reading->mask;
    while (reading->slots[slot] && reading->key[reading->slots[slot]] != key)
        slot = (slot + 1) & reading->mask;
    if (reading->slots[slot]) return reading->slots[slot];
    if (reading->rows == reading->most) return NO_ROW;
    reading->key[reading->rows] = key;
    return reading->slots[slot] = (uint32_t)reading->rows++;
}

/* Gives a bag the new rows of its place's context, the shortest first, up to the first one that the
   text did not have before. Returns how many. */
static size_t new_rows(Reading *reading, const Bags *bags, size_t place, uint32_t *bag) {
    const uint32_t *parent = reading->saved->vocabulary.parent;
    uint32_t row = bags->ngram[place];
    size_t length = 0, count = 0, known = reading->rows;
    for (uint32_t r = row; r != NO_ROW; r = parent[r]) length++;
    if (length == 0) return 0;
    while (++length <= LONGEST && length <= bags->first + place && reading->rows == known) {
        row = longer_row(reading, row, (bags->targets + place)[-(ptrdiff_t)length]);
        if (row == NO_ROW) break;
        bag[count++] = row;
    }
    return count;
}

/* Makes the next batch of the places from..from + count - 1. */
static void next_batch(Reading *reading, const Bags *bags, size_t from, size_t count) {
    Batch *batch = &reading->batch;
    uint32_t i = 0;
    batch->bags = batch->positions = count;
    batch->targets = (uint8_t *)bags->targets + from;
    batch->distinct = 0;
    reading->number++;
    for (size_t b = 0; b < count; b++) {
        const Beside *beside = bags->beside ? &bags->beside[from + b] : NULL;
        uint32_t *bag = batch->indices + i, first = i;
        batch->offsets[b] = i;
        batch->target_offsets[b] = (uint32_t)b;
        i += (uint32_t)bag_rows(&reading->saved->vocabulary, bags->ngram[from + b], beside, bag);
        i += (uint32_t)new_rows(reading, bags, from + b, batch->indices + i);
        for (uint32_t k = first; k < i; k++) {
            if (reading->latest[batch->indices[k]] == reading->number) continue;
            reading->latest[batch->indices[k]] = reading->number;
            batch->rows[batch->distinct++] = batch->indices[k];
        }
    }
    batch->offsets[count] = i;
    batch->target_offsets[count] = (uint32_t)count;
}

typedef struct {
    Training training;
    Optimizer optimizer;
    double loss; /* so far, the sum */
} Learner;

static Learner learner_start(const SavedModel *saved, Pace pace, size_t rows, Model gradient) {
    const Model *model = &saved->model;
    const float unit = 1.0f / (ADAPT_BATCH * ADAPT_BATCH);
    size_t dim = model->dim;
    double trained = fmin(metadata_number(&saved->file, "lr", TRAINED_LR), TRAINED_LR);
    float share = (float)(trained / TRAINED_LR);
    Learner learner = {0};
    learner.optimizer.embedding_lr = pace.embedding_lr * share;
    learner.optimizer.linear_lr = pace.linear_lr * share;
    learner.training = (Training){model_allocate(rows, dim), model_allocate(rows, dim), gradient};
    Model *own = &learner.training.model, *sum = &learner.training.sum;
    memcpy(own->embedding, model->embedding, model->rows * dim * sizeof(float));
    memcpy(own->linear, model->linear, linear_size(dim) * sizeof(float));
    for (size_t i = 0; i < linear_size(dim); i++) sum->linear[i] = pace.linear_sum * unit;
    for (size_t row = 0; row < rows; row++) {
        float seen = row < model->rows ? (float)saved->vocabulary.count[row] : 0;
        float start = row < model->rows ? pace.sum * fmaxf(seen, 1) : pace.new_sum;
        for (size_t d = 0; d < dim; d++) sum->embedding[row * dim + d] = start * unit;
    }
    return learner;
}

/* Takes one step, and each of its rows a little way back to what it was. Returns the batch's loss
   before the step, summed. */
static double learn(Learner *learner, const Model *start, const Batch *batch) {
    size_t dim = start->dim;
    double loss = train_step(&learner->training, &learner->optimizer, batch);
    for (size_t u = 0; u < batch->distinct; u++)
        for (size_t i = batch->rows[u] * dim; i < (batch->rows[u] + (size_t)1) * dim; i++) {
            float *w = &learner->training.model.embedding[i];
            *w += DECAY * ((batch->rows[u] < start->rows ? start->embedding[i] : 0) - *w);
        }
    loss *= (double)batch->positions;
    learner->loss += loss;
    return loss;
}

double adapting_loss(const SavedModel *saved, const Bags *bags) {
    Reading reading = reading_start(saved, bags->count);
    Model gradient = model_allocate(reading.most, saved->model.dim);
    Learner learners[LEARNERS];
    double total = 0;
    for (size_t l = 0; l < LEARNERS; l++)
        learners[l] = learner_start(saved, paces[l], reading.most, gradient);
    for (size_t from = 0, count; from < bags->count; from += count) {
        size_t best = 0;
        count = bags->count - from < ADAPT_BATCH ? bags->count - from : ADAPT_BATCH;
        next_batch(&reading, bags, from, count);
        for (size_t l = 1; l < LEARNERS; l++)
            if (learners[l].loss + LEAD < learners[best].loss) best = l;
        for (size_t l = 0; l < LEARNERS; l++) {
            double loss = learn(&learners[l], &saved->model, &reading.batch);
            if (l == best) total += loss;
        }
    }
    for (size_t l = 0; l < LEARNERS; l++) {
        model_free(&learners[l].training.model);
        model_free(&learners[l].training.sum);
    }
    model_free(&gradient);
    reading_end(&reading);
    return total / (double)bags->count;
}
