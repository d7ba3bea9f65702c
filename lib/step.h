/* step.h: model.h's step on all cores: the same bits, faster. Batches of a text's positions for it;
   and the loss of a text. */
#ifndef STEP_H
#define STEP_H

#include "../model.h"
#include "kernels.h"
#include "threads.h"
#include "vocabulary.h"

/* A model of zeros. */
Model model_allocate(size_t rows, size_t dim);
void model_free(Model *model);

/* A position as batches want it, in one number that sorts: its longest n-gram's row (none: the row
   behind the n-grams), its target, and its place among `beside`, below 2^24. */
enum { ROW_SHIFT = 32, TARGET_SHIFT = 24 };

static inline uint64_t position(const Vocabulary *vocabulary, const Bags *bags, size_t i,
                                uint32_t place) {
    uint32_t ngram = bags->ngram[i] == NO_ROW ? vocabulary->end[NGRAM_ROWS] : bags->ngram[i];
    return (uint64_t)ngram << ROW_SHIFT | (uint64_t)bags->targets[i] << TARGET_SHIFT | place;
}

/* A batch, and the way back from its distinct rows to their bags. */
typedef struct {
    Batch batch;
    uint32_t *numbers;     /* [indices] which of batch.rows each index is */
    uint32_t *bag_offsets; /* [distinct + 1] batch.rows[u] is in the bags bag_offsets[u] to */
    uint32_t *bags;        /* [indices]      bag_offsets[u + 1] - 1 of this list */
    uint32_t *shared;      /* [shared_rows] those u that are in several bags */
    size_t shared_rows;
    uint64_t *sorted; /* [2 positions] scratch */
} SortedBatch;

/* Room for up to `positions` positions, each with up to `most` rows in its bag. */
SortedBatch batch_allocate(size_t positions, size_t most);
void batch_free(SortedBatch *batch);

/* Fills the batch with positions [count]. Bags stand in the order of their longest n-grams, read
   backwards: those that have n-grams in common are neighbours. Where n-grams are the only kind of
   row (beside NULL), positions with the same longest n-gram share a bag. mark [rows] is scratch,
   whose content does not matter; NULL: only offsets, indices and targets are filled, which is
   enough for scoring. */
void batch_fill(SortedBatch *batch, const Vocabulary *vocabulary, const Beside *beside,
                const uint64_t *positions, size_t count, uint32_t *mark);

enum { LOGITS = 112 }; /* 100, in whole lines of the cache: members write parts of a row */

/* A model, Adagrad's sums, and what the step keeps beside them. */
typedef struct {
    Model model, sum; /* the caller's; sum's arrays are NULL with SGD, or when nothing is trained */
    float *transpose; /* [dim, LOGITS] linear.weight transposed, then [LOGITS] linear.bias */
    float *h, *dh;    /* [bags, padded(dim)] */
    float *logits;    /* [bags, LOGITS], then p, then dlogits */
    float *gradient;  /* [100, padded(dim)] of linear.weight */
    double *loss;     /* [bags] nats, summed over a bag's targets */
    double mean_loss; /* of the latest batch, in nats per position */
} Step;

/* For batches of up to `bags` bags. */
Step step_start(Model model, Model sum, size_t bags);
void step_free(Step *step);

/* Takes over the model's linear layer, when others than team_step have changed it. */
void step_load(Step *step);

/* train_step of model.h: every member of the team calls this. The step begins when all have
   arrived, and is done when all have arrived at the next one, or at the end of the team's task.
   mean_loss is for member 0 to read. */
void team_step(Team *team, int member, Step *step, const Optimizer *optimizer,
               const SortedBatch *batch);

/* logits [LOGITS] of a bag of n rows; behind the 100 stand zeros. */
void bag_logits(const Step *step, const uint32_t *bag, size_t n, float *logits);

/* The mean of -ln p[target] over all places of bags, in nats per character; any team, same bits. */
double text_loss(Team *team, const Model *model, const Vocabulary *vocabulary, const Bags *bags);

/* With max_norm, what nn.Embedding does when it looks up these positions: shortens their rows. */
void text_renorm(Model *model, const Optimizer *optimizer, const Vocabulary *vocabulary,
                 const Bags *bags);

#endif
