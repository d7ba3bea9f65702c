/* batches.h: positions of a text become batches for the model; a whole stretch is scored. */
#ifndef BATCHES_H
#define BATCHES_H

#include "../model.h"
#include "contexts.h"

/* A batch for up to `size` positions, each with up to `most_on` rows on; at first each context has one character next. */
Batch batch_allocate(size_t size, size_t most_on);
void batch_free(Batch *batch);

/* A position as batches want it, in one number that sorts: its longest n-gram's row (none: the first row behind the n-grams), the character to predict,
   and which one it is among `others`, below 2^24. */
enum { ROW_SHIFT = 32, NEXT_SHIFT = 24 };

static inline uint64_t position(const Contexts *contexts, const Found *found, size_t i, uint32_t number) {
    uint32_t ngram = found->ngram[i] == NO_ROW ? contexts->ngrams_end : found->ngram[i];
    return (uint64_t)ngram << ROW_SHIFT | (uint64_t)found->next[i] << NEXT_SHIFT | number;
}
static inline uint32_t position_ngram(uint64_t position) { return (uint32_t)(position >> ROW_SHIFT); }
static inline uint8_t position_next(uint64_t position) { return (uint8_t)(position >> NEXT_SHIFT); }
static inline uint32_t position_number(uint64_t position) { return position & ((1u << NEXT_SHIFT) - 1); }

/* Fills the batch with positions [count]. Contexts stand in the order of their longest n-grams, read backwards: those that have n-grams in common are
   neighbours. Where n-grams are the only kind (others NULL), the longest one
   tells the whole context, and positions with the same one share it. (With more kinds two contexts are hardly ever the same.)
   spare [2 count] is scratch; so is mark [rows], whose content does not matter; NULL: not grouped by row, which training needs. */
void batch_fill(Batch *batch, const Contexts *contexts, const Others *others, const uint64_t *positions, size_t count, uint64_t *spare,
                uint32_t *mark);

/* Groups by row a batch that was filled otherwise. */
void batch_group(Batch *batch, uint32_t *mark);

/* The mean of -ln p[next] over all positions found, in nats per character, the same for any team. */
double stretch_loss(Team *team, const Model *model, const Contexts *contexts, const Found *found);

#endif
