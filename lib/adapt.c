#include "adapt.h"

#include "memory.h"

#include <stdlib.h>

enum { LONGEST = 5 }; /* n-grams up to this length get rows while the text is read */

/* Learners differ in the size of their steps: the first stands still, the second is careful, the
   third bold. Adagrad's sums are not in the file: those of a row that was seen n times start at
   sum n, so rare rows learn faster than frequent ones. */
typedef struct {
    float embedding_lr, linear_lr;  /* for a model that was trained with TRAINED_LR or more */
    float sum, new_sum, linear_sum; /* Adagrad's at the start, in squares of 1 / ADAPT_BATCH */
} Pace;

static const double TRAINED_LR = 0.1;
static const Pace paces[] = {{0}, {0.1f, 0, 0.1f, INFINITY, 1}, {0.5f, 0.06f, 0.5f, 10, 10}};
enum { LEARNERS = sizeof paces / sizeof *paces };
static const float DECAY = 0.0015f; /* the share of its way that a row is taken back in each step */
static const double SHARE = 0.002;  /* of all weight, given out anew to all learners alike */

/* One batch. N-grams that occur twice in the text have new rows behind the model's. They are listed
   before the text is read, and that changes no prediction: a row stays zeros until its n-gram has
   been read, and the row of an n-gram that occurs once would never be used again. */
typedef struct {
    const SavedModel *saved;
    const Bags *bags;
    Vocabulary vocabulary; /* of the text that is read: its row r is new row model.rows + r */
    Bags own;
    SortedBatch sorted; /* its batch; in the order of the text */
    uint32_t *latest;   /* [rows] the last batch that had the row, */
    uint32_t number;    /* and the number of this batch, from 1 */
    size_t rows;        /* the model's and the new ones */
} Reading;

static Reading reading_start(const SavedModel *saved, const Bags *bags) {
    Reading reading = {.saved = saved, .bags = bags};
    const RowOptions options = {.order = LONGEST, .min_count = 2, .max_rows = 1 << 20};
    Team *team = team_start(1);
    reading.vocabulary = vocabulary_list(bags->targets, bags->count, options);
    reading.own =
        bags_find(team, &reading.vocabulary, bags->targets - bags->first, bags->first, bags->count);
    team_end(team);
    reading.rows = saved->model.rows + reading.vocabulary.rows;
    reading.sorted = batch_allocate(ADAPT_BATCH, largest_bag(&saved->vocabulary) + LONGEST);
    reading.latest = allocate(reading.rows, sizeof *reading.latest, "a batch");
    return reading;
}

static void reading_end(Reading *reading) {
    vocabulary_free(&reading->vocabulary);
    bags_free(&reading->own);
    batch_free(&reading->sorted);
    free(reading->latest);
}

/* The rows of a place's bag: the model's, and those of n-grams that are longer than the model's
   longest. Returns how many. */
static size_t reading_bag(const Reading *reading, size_t place, uint32_t *bag) {
    const Bags *bags = reading->bags;
    const Vocabulary *vocabulary = &reading->saved->vocabulary;
    const Beside *beside = bags->beside ? &bags->beside[place] : NULL;
    uint32_t own[MAX_BAG];
    size_t known = bag_rows(vocabulary, bags->ngram[place], NULL, bag);
    size_t count = bag_rows(vocabulary, bags->ngram[place], beside, bag);
    size_t longest = bag_rows(&reading->vocabulary, reading->own.ngram[place], NULL, own);
    for (size_t i = 0; i + known < longest; i++)
        bag[count++] = (uint32_t)reading->saved->model.rows + own[i];
    return count;
}

/* Makes the next batch of the places from..from + count - 1. */
static void next_batch(Reading *reading, size_t from, size_t count) {
    Batch *batch = &reading->sorted.batch;
    uint32_t end = 0;
    batch->bags = batch->positions = count;
    memcpy(batch->targets, reading->bags->targets + from, count);
    batch->distinct = 0;
    reading->number++;
    for (size_t b = 0; b <= count; b++) {
        uint32_t i = batch->offsets[b] = end;
        batch->target_offsets[b] = (uint32_t)b;
        if (b < count) end += (uint32_t)reading_bag(reading, from + b, batch->indices + end);
        for (; i < end; i++) {
            uint32_t row = batch->indices[i];
            if (reading->latest[row] != reading->number) batch->rows[batch->distinct++] = row;
            reading->latest[row] = reading->number;
        }
    }
}

typedef struct {
    Training training;
    Optimizer optimizer;
    double weight; /* of its predictions among those of all, which have 1 together */
} Learner;

static Learner learner_start(const SavedModel *saved, Pace pace, Model gradient) {
    const Model *model = &saved->model;
    const float unit = 1.0f / (ADAPT_BATCH * ADAPT_BATCH);
    size_t rows = gradient.rows, dim = gradient.dim;
    double trained = fmin(metadata_number(&saved->file, "lr", TRAINED_LR), TRAINED_LR);
    float share = (float)(trained / TRAINED_LR);
    Learner learner = {.weight = 1.0 / LEARNERS};
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

/* The probability that a model gives to the target of bag b, the only one of that bag. */
static double probability(const Model *model, const Batch *batch, size_t b) {
    const uint32_t *bag = batch->indices + batch->offsets[b];
    float h[MAX_DIM], p[CHARACTERS];
    embedding_forward(model, bag, batch->offsets[b + 1] - batch->offsets[b], h);
    linear_forward(model, h, p);
    cross_entropy_forward(p, &batch->targets[b], 1);
    return (double)p[batch->targets[b]];
}

/* The loss of bag b, predicted by all learners together. Then those that gave its target a larger
   probability get more of the weight, as Bayes' rule has it; each keeps a little, for the text may
   change (the fixed share of Herbster and Warmuth 1998). NAN when a learner's numbers grew beyond
   what a float holds. */
static double predict(Learner *learners, const Batch *batch, size_t b) {
    double joint[LEARNERS], mixed = 0; /* weight times probability, and their sum */
    for (size_t l = 0; l < LEARNERS; l++) {
        joint[l] = learners[l].weight * probability(&learners[l].training.model, batch, b);
        mixed += joint[l];
    }
    for (size_t l = 0; l < LEARNERS; l++)
        learners[l].weight = (1 - SHARE) * joint[l] / mixed + SHARE / LEARNERS;
    if (!(mixed > 0 && mixed < 2)) return NAN; /* exact_log takes no NAN */
    return -exact_log(mixed);
}

/* Takes one step, then moves each row of the batch a little way back to what it was. */
static void learn(Learner *learner, const Model *start, const Batch *batch) {
    size_t dim = start->dim;
    train_step(&learner->training, &learner->optimizer, batch);
    for (size_t u = 0; u < batch->distinct; u++)
        for (size_t i = batch->rows[u] * dim; i < (batch->rows[u] + (size_t)1) * dim; i++) {
            float *w = &learner->training.model.embedding[i];
            *w += DECAY * ((batch->rows[u] < start->rows ? start->embedding[i] : 0) - *w);
        }
}

double adapting_loss(const SavedModel *saved, const Bags *bags) {
    Reading reading = reading_start(saved, bags);
    const Batch *batch = &reading.sorted.batch;
    Model gradient = model_allocate(reading.rows, saved->model.dim);
    Learner learners[LEARNERS];
    double total = 0;
    for (size_t l = 0; l < LEARNERS; l++) learners[l] = learner_start(saved, paces[l], gradient);
    for (size_t from = 0, count; from < bags->count; from += count) {
        count = smaller(bags->count - from, ADAPT_BATCH);
        next_batch(&reading, from, count);
        for (size_t b = 0; b < count; b++) total += predict(learners, batch, b);
        for (size_t l = 1; l < LEARNERS; l++) learn(&learners[l], &saved->model, batch);
    }
    for (size_t l = 0; l < LEARNERS; l++) {
        model_free(&learners[l].training.model);
        model_free(&learners[l].training.sum);
    }
    model_free(&gradient);
    reading_end(&reading);
    return total / (double)bags->count;
}
