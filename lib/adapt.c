#include "adapt.h"

#include "memory.h"

#include <math.h>
#include <stdlib.h>

/* A model trained by Adagrad has sums that grow with how often its rows were seen. The file does not
   keep them: a row seen n times starts with ADAPT_SUM n, so rare rows learn faster than frequent ones.
   The learning rate is the one that the model was trained with, at most MAX_RATE (docs/learning.md
   has the measurements). */
static const float MAX_RATE = 0.1f, ADAPT_SUM = 0.1f;

static void start_sums(const SavedModel *saved, Model *sum) {
    for (size_t row = 0; row < sum->rows; row++) {
        float seen = (float)saved->vocabulary.count[row];
        if (seen < 1) seen = 1;
        for (size_t d = 0; d < sum->dim; d++)
            sum->embedding[row * sum->dim + d] = ADAPT_SUM * seen / (ADAPT_BATCH * ADAPT_BATCH);
    }
}

double adapting_loss(SavedModel *saved, const Bags *bags) {
    size_t rows = saved->model.rows, dim = saved->model.dim, most = largest_bag(&saved->vocabulary);
    Training training = {saved->model, model_allocate(rows, dim), model_allocate(rows, dim)};
    Optimizer optimizer = {.embedding_lr =
                               fmin(metadata_number(&saved->file, "lr", MAX_RATE), MAX_RATE)};
    SortedBatch batch = batch_allocate(ADAPT_BATCH, most);
    uint32_t *mark = allocate(rows, sizeof *mark, "learning while reading");
    uint64_t positions[ADAPT_BATCH];
    double loss = 0;
    start_sums(saved, &training.sum);
    for (size_t from = 0, count; from < bags->count; from += count) {
        count = bags->count - from < ADAPT_BATCH ? bags->count - from : ADAPT_BATCH;
        for (uint32_t i = 0; i < count; i++)
            positions[i] = position(&saved->vocabulary, bags, from + i, i);
        const Beside *beside = bags->beside ? bags->beside + from : NULL;
        batch_fill(&batch, &saved->vocabulary, beside, positions, count, mark);
        loss += train_step(&training, &optimizer, &batch.batch) * (double)count;
    }
    batch_free(&batch);
    model_free(&training.sum);
    model_free(&training.gradient);
    free(mark);
    return loss / (double)bags->count;
}
