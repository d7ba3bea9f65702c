/* batches.h: positions of a text become batches for the model; a whole stretch is scored. */
#ifndef BATCHES_H
#define BATCHES_H

#include "../model.h"
#include "contexts.h"

/* A batch for up to `size` positions, each with up to `most_on` rows on; at first each context has one character next. */
Batch batch_allocate(size_t size, size_t most_on);
void batch_free(Batch *batch);

/* Fills the batch with positions found->first + place[0 .. count-1] (place NULL: 0, 1, 2, ... from `from`). mark [rows] is
   scratch whose content does not matter. */
void batch_fill(Batch *batch, const Contexts *contexts, const Found *found, const uint32_t *place, size_t from, size_t count,
                uint32_t *mark);

/* Groups the batch by row, which training needs. mark as above. */
void batch_group(Batch *batch, uint32_t *mark);

/* The mean of -ln p[next] over all positions found, in nats per character, the same for any team. */
double stretch_loss(Team *team, const Model *model, const Contexts *contexts, const Found *found);

#endif
